package import EspalierGraphs
package import EspalierOperators

/// Channels that are coupled: all of them live on the same axes of the same values, and each can be cut
/// without the others, but only from all those axes at once.
///
/// A group of a plain chain is the outputs of one layer, with the biases, normalisation and the next layer's
/// inputs; with a residual sum it has several producing layers; and so on. It falls out of the axis links and
/// knows no layer type.
package struct PruningGroup: Sendable, Identifiable {
    /// The name of the first parameter that produces the channels, made unique; stable for a given model.
    package let id: String
    /// The number of units.
    package let size: Int
    /// The axes of constants that a cut goes through: producers first, in the graph's order.
    package let members: [GroupMember]
    /// The axes of all other values that a cut goes through.
    package let activations: [GroupMember]
    /// Why nothing of the group may be cut; nil if it may.
    package let frozen: FrozenReason?

    /// One inseparable set of slices.
    package func unit(_ number: Int) -> PruningUnit {
        PruningUnit(
            group: id, number: number,
            slices: members.map { member in
                ParameterSlice(
                    value: member.axis.value, axis: member.axis.axis,
                    indices: Array(member.indices(ofUnit: number)),
                    role: member.role)
            })
    }

    package var units: [PruningUnit] { (0..<size).map { unit($0) } }
}

/// One axis that a group goes through, with the indices of each of its units.
package struct GroupMember: Sendable {
    package let axis: ValueAxis
    package let name: String
    /// nil for values that are no parameters.
    package let role: SliceRole?
    /// The nodes that read a constant.
    package let readers: [NodeID]
    private let starts: [Int32]
    private let entries: [Int32]

    init(axis: ValueAxis, name: String, role: SliceRole?, readers: [NodeID], indices: [[Int32]]) {
        self.axis = axis
        self.name = name
        self.role = role
        self.readers = readers
        var starts: [Int32] = [0]
        for unit in indices { starts.append(starts[starts.count - 1] + Int32(unit.count)) }
        self.starts = starts
        entries = indices.flatMap { $0 }
    }

    /// The indices on the axis, ascending, that belong to one unit.
    package func indices(ofUnit unit: Int) -> some RandomAccessCollection<Int> {
        entries[Int(starts[unit])..<Int(starts[unit + 1])].lazy.map { Int($0) }
    }

    package func indexCount(ofUnit unit: Int) -> Int { Int(starts[unit + 1] - starts[unit]) }
}

/// One channel of a group with every parameter slice that belongs to it: what is removed or kept as a whole.
package struct PruningUnit: Sendable {
    package let group: PruningGroup.ID
    package let number: Int
    package let slices: [ParameterSlice]

    package init(group: PruningGroup.ID, number: Int, slices: [ParameterSlice]) {
        self.group = group
        self.number = number
        self.slices = slices
    }
}

/// Some indices on one axis of one constant.
package struct ParameterSlice: Hashable, Sendable {
    package let value: ValueID
    package let axis: Int
    package let indices: [Int]
    package let role: SliceRole?

    package init(value: ValueID, axis: Int, indices: [Int], role: SliceRole?) {
        self.value = value
        self.axis = axis
        self.indices = indices
        self.role = role
    }
}
