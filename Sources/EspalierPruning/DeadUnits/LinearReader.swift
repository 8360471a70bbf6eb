package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// A node that reads channels where they end and sums over them by one of its weights.
///
/// What some channels add to its output is found by running it, by its reference in double precision, on nothing but
/// them: it is what comes out beyond the answer to zeros. So it holds for every operator that multiplies weights with
/// what it reads, and whether the same is added at every position, borders included, is seen and not presumed.
package struct LinearReader: Sendable {
    package let node: Node
    /// The axis of the weight on which the channels lie.
    package let weight: ValueAxis
    private let operation: any AxisLinking
    private let signature: Signature
    private let port: Int
    private let axis: Int
    private let outputAxis: Int

    /// - Returns: nil if the node at which the channels end is not known to be linear in them.
    package init?(_ ending: ActivationSites.EndingPort, in resolved: ResolvedGraph) {
        guard let node = resolved.graph.nodes.first(where: { $0.id == ending.node }),
            let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id], node.outputs.count == 1
        else { return nil }
        let said = operation.axisLinks(signature)
        let own = PortAxis.input(ending.port, axis: ending.axis.axis)
        let summing = said.links.lazy.compactMap { link -> PortAxis? in
            let other = link.from == own ? link.to : link.to == own ? link.from : nil
            return other.flatMap { said.roles[$0] == .consumer ? $0 : nil }
        }
        guard let summed = summing.first, case .input(let weightPort) = summed.port,
            node.inputs.indices.contains(weightPort), let weight = node.inputs[weightPort],
            let outputAxis = Self.outputChannels(said)
        else { return nil }
        self.node = node
        self.weight = ValueAxis(weight, axis: summed.axis)
        self.operation = operation
        self.signature = signature
        port = ending.port
        axis = ending.axis.axis
        self.outputAxis = outputAxis
    }

    /// The axis of the output on which the channels lie that the weight produces.
    private static func outputChannels(_ said: AxisLinks) -> Int? {
        for link in said.links where link.map == .identity {
            for (weight, output) in [(link.from, link.to), (link.to, link.from)]
            where said.roles[weight] == .producer && output.port == .output(0) { return output.axis }
        }
        return nil
    }

    /// What channels of constant values add to the output; nil if that is not the same at every position.
    ///
    /// - Parameter values: by index on the axis that is read; all others are zero.
    package func shift(of values: [Int: Double]) -> ConstantFolding.Shift? {
        guard let with = response(to: values), let without = response(to: [:]) else { return nil }
        let shape = signature.outputShape()
        let inner = shape.strides[outputAxis]
        var low = [Double](repeating: .infinity, count: shape[outputAxis])
        var high = [Double](repeating: -.infinity, count: shape[outputAxis])
        for position in with.indices {
            let channel = position / inner % shape[outputAxis]
            let difference = with[position] - without[position]
            low[channel] = min(low[channel], difference)
            high[channel] = max(high[channel], difference)
        }
        let scale = zip(low, high).map { max(abs($0), abs($1)) }.max() ?? 0
        guard zip(low, high).allSatisfy({ $1 - $0 <= 1e-9 * scale }) else { return nil }
        return ConstantFolding.Shift(axis: outputAxis, values: low)
    }

    /// The output, in row-major order, for an input of the given values at all positions.
    private func response(to values: [Int: Double]) -> [Double]? {
        let shape = signature.inputShape(port)
        let inner = shape.strides[axis]
        let scalars = (0..<shape.count).map { position in values[position / inner % shape[axis]] ?? 0 }
        var inputs: [Tensor?] = []
        for port in signature.inputs.indices {
            if port == self.port {
                inputs.append(Tensor(shape: shape, scalars: scalars))
            } else {
                let constant = signature.constant(port)
                guard constant != nil || !signature.hasInput(port) else { return nil }
                inputs.append(
                    constant.map { $0.dtype.isFloatingPoint ? $0.converted(to: .float64) : $0 })
            }
        }
        let outputs = signature.outputs.map { ValueFacts(dtype: .float64, shape: $0.shape) }
        return try? operation.evaluate(inputs, outputs: outputs).get().first?.scalars(as: Double.self)
    }
}
