import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension SizeNetwork {
    /// Powers of two by which the values of a linear network are scaled so that all are near 1.
    ///
    /// Values that are added, joined or moved must have one scale; only between the input and the output of a weighted node
    /// may it change. So values fall into classes, and each class has the exponent of its largest number.
    struct Scaling {
        private var classes: DisjointSets
        private let positions: [ValueID: Int]
        private var exponents: [Int: Int] = [:]
        private let weighted: Set<NodeID>

        init(_ graph: Graph, inputShapes: [ValueID: Shape], weighted: Set<NodeID>) throws {
            let flowing = graph.inputs + graph.nodes.flatMap { $0.outputs.compactMap { $0 } }
            positions = Dictionary(
                uniqueKeysWithValues: zip(flowing, flowing.indices))
            classes = DisjointSets(count: flowing.count)
            self.weighted = weighted
            for node in graph.nodes where !weighted.contains(node.id) {
                let touched = (node.inputs + node.outputs).compactMap { $0.flatMap { positions[$0] } }
                for other in touched.dropFirst() { classes.merge(touched[0], other) }
            }
            let ones = inputShapes.mapValues { shape in
                Tensor(shape: shape, scalars: [Double](repeating: 1, count: shape.count))
            }
            let values = try ReferenceRunner.values(of: graph, inputs: ones, inDouble: true)
            for (id, position) in positions {
                guard let tensor = values[id], tensor.dtype.isFloatingPoint else { continue }
                let largest = tensor.scalars(as: Double.self).max() ?? 0
                guard largest > 0, largest.isFinite else { continue }
                let root = classes.root(of: position)
                exponents[root] = max(exponents[root] ?? .min, Int(largest.exponent))
            }
        }

        private func exponent(_ value: ValueID) -> Int {
            guard let position = positions[value] else { return 0 }
            var classes = classes
            return exponents[classes.root(of: position)] ?? 0
        }

        /// What 1 becomes.
        func scale(of value: ValueID) -> Double {
            Double(sign: .plus, exponent: -exponent(value), significand: 1)
        }

        /// The graph with a factor behind every weighted node.
        func scaled(_ graph: Graph) throws(GraphError) -> Graph {
            var patch = Patch(for: graph)
            for node in graph.nodes where weighted.contains(node.id) {
                guard let output = node.outputs.first ?? nil,
                    let input = node.inputs.compactMap({ $0 }).first(where: { positions[$0] != nil })
                else { continue }
                let change = exponent(input) - exponent(output)
                guard change != 0 else { continue }
                let factor = Float(Double(sign: .plus, exponent: change, significand: 1))
                let plain = patch.newValue("\(graph.name(of: output)) unscaled")
                var moved = node
                moved.outputs[0] = plain
                patch.append(.replace(moved))
                patch.append(
                    .insert(
                        Node(
                            id: patch.newNodeID(), name: "\(node.label) scaling",
                            operatorName: OperatorName("Mul"),
                            inputs: [
                                plain, patch.newConstant("scale", Tensor(shape: [1], scalars: [factor])),
                            ],
                            outputs: [output])))
            }
            return try graph.applying(patch)
        }
    }
}
