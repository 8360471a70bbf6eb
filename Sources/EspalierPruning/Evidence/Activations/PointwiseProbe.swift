import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Finds the nonlinearities of a network by what nodes do, not by what they are called.
///
/// A node is pointwise if it has one input that is not constant and says that every axis of it is that axis of its
/// output; and it is a nonlinearity if, as a function of that input, it does not lie on a straight line.
struct PointwiseProbe {
    private let resolved: ResolvedGraph

    init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
    }

    /// What a nonlinearity reads and what it makes of it; nil if `node` is none.
    func nonlinearity(_ node: Node) -> (input: ValueID, output: ValueID)? {
        guard let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id], let port = port(of: node, signature),
            let input = node.inputs[port], let output = node.outputs.first.flatMap({ $0 }),
            isPointwise(operation, signature, port: port),
            !isStraight(operation, node, signature, port: port)
        else { return nil }
        return (input, output)
    }

    /// The only real input that is not known in advance.
    private func port(of node: Node, _ signature: Signature) -> Int? {
        let open = node.inputs.indices.filter { signature.hasInput($0) && signature.constant($0) == nil }
        guard open.count == 1, signature.inputs[open[0]]?.dtype.isFloatingPoint == true else { return nil }
        return open[0]
    }

    private func isPointwise(_ operation: any AxisLinking, _ signature: Signature, port: Int) -> Bool {
        let shape = signature.inputShape(port)
        guard shape.rank > 0, shape.count > 0, signature.outputs.first?.shape == shape,
            signature.outputs[0].dtype.isFloatingPoint
        else { return false }
        let linked = operation.axisLinks(signature).links.filter { link in
            link.map == .identity && link.from.axis == link.to.axis
                && Set([link.from.port, link.to.port]) == [.input(port), .output(0)]
        }
        return Set(linked.map(\.from.axis)).count == shape.rank
    }

    /// Equal distances on both sides of zero: steps between the function's values at them are equal if it is straight.
    private static let points: [Double] = [-4, -2, 0, 2, 4]

    private func isStraight(
        _ operation: any AxisLinking, _ node: Node, _ signature: Signature, port: Int
    ) -> Bool {
        var values: [[Double]] = []
        for point in Self.points {
            let shape = signature.inputShape(port)
            var inputs = node.inputs.indices.map { signature.constant($0) }
            inputs[port] = Tensor(shape: shape, scalars: [Double](repeating: point, count: shape.count))
                .converted(to: signature.inputs[port]?.dtype ?? .float32)
            guard let output = try? operation.evaluate(inputs, outputs: signature.outputs).get().first else {
                return true
            }
            values.append(output.scalars(as: Double.self))
        }
        return values[0].indices.allSatisfy { element in
            let scale = values.map { abs($0[element]) }.max() ?? 0
            return (1..<Self.points.count - 1).allSatisfy { place in
                let (before, after) = (values[place - 1][element], values[place + 1][element])
                let bend = before - 2 * values[place][element] + after
                return abs(bend) <= 1e-5 * scale
            }
        }
    }
}
