import EspalierGraphs
import EspalierOperators

/// A pruning group as `inspect` lists it.
package struct GroupSummary: Sendable, Codable, Hashable {
    package let id: String
    /// The number of channels.
    package let size: Int
    package let members: [Member]
    /// Why nothing of it may be cut; absent if it may.
    package let frozen: String?

    package struct Member: Sendable, Codable, Hashable {
        package let parameter: String
        package let axis: Int
        package let role: String
        /// The number of slices per channel: more than one behind a flattening.
        package let slicesPerChannel: Int
    }

    package init(_ group: PruningGroup) {
        id = group.id
        size = group.size
        frozen = group.frozen?.message
        members = group.members.map { member in
            Member(
                parameter: member.name, axis: member.axis.axis, role: member.role?.rawValue ?? "",
                slicesPerChannel: group.size > 0 ? member.indexCount(ofUnit: 0) : 0)
        }
    }
}

extension PruningGroups {
    package var summaries: [GroupSummary] { all.map { GroupSummary($0) } }
}
