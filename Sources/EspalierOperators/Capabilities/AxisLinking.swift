package import EspalierGraphs
package import EspalierTensors

/// The capability of saying which axis of which input *is* which axis of which output.
///
/// The dependency graph of structured pruning is nothing but the closure of these links: indices that are linked
/// must be cut together. An axis that an operator mentions in no link and does not declare free is frozen: nothing
/// may cut it. So an operator that mixes along an axis (softmax, layer norm, a mean over it) simply leaves it out.
package protocol AxisLinking: Operator {
    func axisLinks(_ signature: Signature) -> AxisLinks

    /// The edits of the node's own attributes and of its constant, non-weight inputs that keep it right after
    /// `cut` (a `Conv`'s group count, `Split` sizes, a `Reshape` target, `Slice` bounds). Weights and biases are sliced
    /// by the caller along the linked axes.
    ///
    /// - Throws: ``OperatorError/unsupported(_:)`` if no edit can express the cut.
    func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits
}

extension AxisLinking {
    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        NodeEdits()
    }
}

/// One axis of one input or output of a node.
package struct PortAxis: Hashable, Sendable {
    package enum Port: Hashable, Sendable {
        case input(Int)
        case output(Int)
    }

    package let port: Port
    package let axis: Int

    package init(_ port: Port, axis: Int) {
        self.port = port
        self.axis = axis
    }

    package static func input(_ port: Int, axis: Int) -> PortAxis { PortAxis(.input(port), axis: axis) }
    package static func output(_ port: Int, axis: Int) -> PortAxis { PortAxis(.output(port), axis: axis) }
}

/// How the indices of one axis correspond to those of another.
package enum IndexMap: Hashable, Sendable {
    /// Index i is index i. Both axes have the same extent.
    case identity
    /// Index i of the first is index i + offset of the second, wherever both exist: blocks laid end to end.
    case offset(Int)
    /// Index i of the first (of extent n) is every index (o * n + i) * inner + k of the second, for o < outer and
    /// k < inner: what flattening does to an axis.
    case spread(outer: Int, inner: Int)
    /// Index i of the first is each of the listed indices of the second.
    case table([[Int]])

    /// Calls `body` with every pair of corresponding indices.
    package func forEachPair(from first: Int, to second: Int, _ body: (Int, Int) -> Void) {
        switch self {
        case .identity:
            for index in 0..<min(first, second) { body(index, index) }
        case .offset(let offset):
            for index in max(0, -offset)..<max(max(0, -offset), min(first, second - offset)) {
                body(index, index + offset)
            }
        case .spread(let outer, let inner):
            for index in 0..<first {
                for outerIndex in 0..<outer {
                    for innerIndex in 0..<inner {
                        let other = (outerIndex * first + index) * inner + innerIndex
                        if other < second { body(index, other) }
                    }
                }
            }
        case .table(let table):
            for (index, others) in table.enumerated() where index < first {
                for other in others where other < second { body(index, other) }
            }
        }
    }
}

/// Two axes whose indices stand for the same thing.
package struct AxisLink: Sendable {
    package let from: PortAxis
    package let to: PortAxis
    package let map: IndexMap

    package init(_ from: PortAxis, _ to: PortAxis, _ map: IndexMap = .identity) {
        self.from = from
        self.to = to
        self.map = map
    }
}

/// What a slice of a parameter does for the channel it belongs to.
package enum SliceRole: String, Sendable, Codable, CaseIterable {
    /// Computes the channel: a row of a weight matrix, a filter.
    case producer
    /// Reads the channel: a column of the next weight matrix.
    case consumer
    /// Multiplies it as a whole: batch norm's gamma.
    case scale
    /// Shifts it, or scales it otherwise: a bias, batch norm's beta and statistics.
    case affine

    /// Whether the slice is of a weight that is multiplied with activations and summed.
    package var isWeight: Bool { self == .producer || self == .consumer }
}

/// All an operator says about its axes.
package struct AxisLinks: Sendable {
    package var links: [AxisLink] = []
    /// Axes that end here: cutting one changes the node's work but no other axis (what a sum is taken over).
    package var free: [PortAxis] = []
    /// Axes whose extents the outputs tell (`Shape`). A cut changes what the outputs say and everything computed from
    /// it, which is right where that ends in shapes, and wrong where it ends in real numbers (a mean's divisor): who
    /// cuts such an axis must make sure that no node turns what follows from the outputs into real numbers.
    package var measured: [PortAxis] = []
    /// Pairs of linked axes of two inputs over whose products the outputs sum. A cut takes terms of the sums away, a mask
    /// only those of which it makes a factor zero: a weight's slices are zero then, an activation may be anything, as behind
    /// a sigmoid. Who cuts such axes must make sure that one of the two is zero where it is masked.
    package var contractions: [(first: PortAxis, second: PortAxis)] = []
    /// Axes that nothing may cut, with the reason; unmentioned axes are frozen too, with a general one.
    package var frozen: [(axis: PortAxis, reason: String)] = []
    /// What slices of the parameters among the inputs do, by axis.
    package var roles: [PortAxis: SliceRole] = [:]

    package init() {}

    package mutating func link(_ from: PortAxis, _ to: PortAxis, _ map: IndexMap = .identity) {
        links.append(AxisLink(from, to, map))
    }

    /// Links every axis of an input to the axis of an output that broadcasting aligns it with.
    /// Where a broadcast input has extent 1 and the output more, it is neither linked nor cut.
    package mutating func linkBroadcast(input port: Int, shape: Shape, output: Shape, outputPort: Int = 0) {
        let missing = output.rank - shape.rank
        for axis in 0..<shape.rank where shape[axis] == output[axis + missing] {
            link(.input(port, axis: axis), .output(outputPort, axis: axis + missing))
        }
    }
}

/// A cut as one node sees it: the indices kept on each of its cut axes, ascending.
package struct AxisCut: Sendable {
    package var kept: [PortAxis: [Int]]

    package init(kept: [PortAxis: [Int]]) {
        self.kept = kept
    }

    package subscript(_ axis: PortAxis) -> [Int]? { kept[axis] }
}

/// Changes to one node.
package struct NodeEdits: Sendable {
    package var attributes: [String: Attribute] = [:]
    package var removedAttributes: Set<String> = []
    /// New values for constant inputs, by port; an input that was left out is added. A constant that other nodes
    /// read too keeps its value for them.
    package var constants: [Int: Tensor] = [:]

    package init() {}
}
