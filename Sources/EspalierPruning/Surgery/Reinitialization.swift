package import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension Pruner {
    /// The network with fresh weights: the control which tells whether a structure alone is worth what it cost to find.
    ///
    /// Multiplied weights are normal with variance 2 / fan-in (He et al. 2015), those of the last layers 2 / (fan-in + fan-out)
    /// (Glorot & Bengio 2010); scales are 1, biases and shifts 0. Running statistics stay, since training replaces them, and so
    /// does what is no weight: scalars, and what inputs are prepared with before the first layer.
    ///
    /// - Throws: ``PruningError/surgery(_:)``.
    package func reinitialized(seed: UInt64) throws(PruningError) -> Graph {
        let random = RandomSource(seed: seed).split("initialization")
        var patch = Patch(for: graph)
        var seen: Set<ValueID> = []
        for layer in groups.layers where layer.refused == nil && seen.insert(layer.weight).inserted {
            guard let tensor = graph.constants[layer.weight], let producer = layer.producerAxis else {
                continue
            }
            let outputs = max(1, tensor.shape[producer])
            let fanIn = max(1, tensor.count / outputs)
            let receptiveField = max(1, fanIn / max(1, layer.consumerAxis.map { tensor.shape[$0] } ?? 1))
            let fanOut = outputs * receptiveField
            let deviation = (2 / Double(fanIn + (layer.isLast ? fanOut : 0))).squareRoot()
            var stream = random.split(layer.weightName)
            let values = (0..<tensor.count).map { _ in Float(deviation * stream.normal()) }
            let fresh = Tensor(shape: tensor.shape, scalars: values).converted(to: tensor.dtype)
            patch.append(.setConstant(layer.weight, fresh))
        }
        for (value, number) in constantParameters(except: seen) {
            guard let tensor = graph.constants[value] else { continue }
            let values = [Float](repeating: number, count: tensor.count)
            let fresh = Tensor(shape: tensor.shape, scalars: values).converted(to: tensor.dtype)
            patch.append(.setConstant(value, fresh))
        }
        do throws(GraphError) {
            return try graph.applying(patch)
        } catch {
            throw .surgery("\(error)")
        }
    }

    /// Scales with 1, biases and shifts with 0, each once.
    private func constantParameters(except weights: Set<ValueID>) -> [(ValueID, Float)] {
        var statistics: Set<ValueID> = []
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id] as? any RunningStatistics else { continue }
            for port in operation.statisticsPorts where node.inputs.indices.contains(port) {
                if let value = node.inputs[port] { statistics.insert(value) }
            }
        }
        let layers = Set(groups.layers.map(\.node))
        var behindLayers: Set<ValueID> = []
        var seen = weights.union(statistics)
        var result: [(ValueID, Float)] = []
        for node in graph.nodes {
            let isBehind = layers.contains(node.id) || !behindLayers.isDisjoint(with: node.dependencies)
            if isBehind { behindLayers.formUnion(node.outputs.compactMap { $0 }) }
            guard let operation = resolved.operators[node.id] as? any AxisLinking,
                let signature = resolved.signatures[node.id]
            else { continue }
            let roles = operation.axisLinks(signature).roles
            for (port, input) in node.inputs.enumerated() {
                guard let value = input, let tensor = graph.constants[value], tensor.dtype.isFloatingPoint,
                    let role = roles[.input(port, axis: 0)], !role.isWeight, seen.insert(value).inserted
                else { continue }
                if role == .scale {
                    result.append((value, 1))
                } else if layers.contains(node.id) || roles.values.contains(.scale) {
                    result.append((value, 0))
                } else if isBehind, tensor.count > 1, let neutral = Self.neutral(operation, port: port) {
                    result.append((value, neutral))
                }
            }
        }
        return result
    }

    /// The operand that leaves the other as it is: 0 of sums and differences, 1 of products and quotients; nil of other
    /// functions.
    private static func neutral(_ operation: any Operator, port: Int) -> Float? {
        guard operation is any ChannelAffine, let function = operation as? any BinaryElementwise else {
            return nil
        }
        return [0, 1].first { neutral in
            [-3.0, 2].allSatisfy { x in
                (port == 0 ? function.value(neutral, x) : function.value(x, neutral)) == x
            }
        }.map { Float($0) }
    }
}
