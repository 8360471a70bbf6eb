import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
package import EspalierTensors

/// Through which weights the flow of a network of sizes goes: w dR/dw / R with R = 1^T prod |W| 1.
///
/// R is what the network computes on an input of ones when weights are replaced by their sizes, biases by zero,
/// normalisation by the size of its slope and activations by the identity (``SizeNetwork``). All terms are positive, so nothing
/// cancels and single precision is exact to a few units in the sixth digit; what single precision lacks is range. So values
/// are found by the references in double precision first, and are then scaled by powers of two, which changes no digit, to
/// bring all of them and all gradients near 1.
package enum SynapticFlow: DataFreePass {
    package static let kinds: Set<EvidenceKind> = [.synapticFlow]

    private static let outOfRange = "single precision cannot hold what flows"

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, inputShapes: [ValueID: Shape], lane: Lane
    ) throws -> Evidence {
        let network = try SizeNetwork(graph, inputShapes: inputShapes)
        let resolved = try ResolvedGraph(network.graph, inputShapes: network.inputShapes)
        let weights = resolved.graph.parameters.filter(network.weights.contains)
        let parameters = ParameterStore(resolved, trainable: weights)
        let session = try TrainingSession(
            resolved, outputs: network.graph.outputs, parameters: parameters,
            options: .init(phase: .training(frozenNormalization: true, seed: 0), threads: lane.threads))
        for input in resolved.graph.inputs {
            guard let facts = resolved.facts[input] else { continue }
            let ones = [Double](repeating: 1, count: facts.shape.count)
            try session.setInput(
                resolved.graph.name(of: input), to: Tensor(shape: facts.shape, scalars: ones))
        }
        try session.forward()
        var total = 0.0
        for (place, output) in session.outputs.enumerated() {
            let factor = network.outputFactors[place]
            for value in output { total += factor * Double(value) }
            session.outputGradients[place].update(repeating: Float(factor))
        }
        // Rounding does not take that much; what is missing did not fit.
        guard (total - network.flow).magnitude <= 1e-3 * network.flow else {
            throw SizeNetwork.refusal(graph.name, outOfRange)
        }
        try session.backward()
        var evidence = Evidence()
        for entry in parameters.trainable {
            let shares = entry.range.map { index -> Float in
                // Nothing flows where a whole layer is cut off.
                guard total > 0 else { return 0 }
                return Float(Double(parameters.values[index]) * Double(parameters.gradients[index]) / total)
            }
            guard shares.allSatisfy(\.isFinite) else { throw SizeNetwork.refusal(entry.name, outOfRange) }
            evidence[.synapticFlow][entry.value] = Tensor(shape: entry.shape, scalars: shares)
        }
        return evidence
    }
}
