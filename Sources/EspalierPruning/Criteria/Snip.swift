import EspalierGraphs
import EspalierTensors

/// Connection sensitivity: |E[g] w| as a share of the sum over all weights.
///
/// The derivative of the mean loss by a gate on the connection. It was made for networks that have not been trained; the
/// shares make scores of different data and losses comparable, and do not change their order.
package struct Snip: Criterion {
    package static let information = CriterionInformation(
        id: "snip", name: "SNIP",
        measures:
            "the share of a weight in the loss's reaction to gates on all weights, |E[g] w| over their sum; one backward pass "
            + "over the data; made for untrained networks",
        misleads: "on trained networks, where mean gradients vanish; and it may cut a whole layer off",
        source: "Lee et al. 2019", unit: "share")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.meanGradients] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let gradients = try evidence(.meanGradients, for: parameter, scene: scene).scalars(as: Float.self)
        let total = scene.total(of: Self.information.id) { Self.total(scene) }
        guard total > 0 else { return [Float](repeating: 0, count: gradients.count) }
        return zip(gradients, parameter.tensor.scalars(as: Float.self)).map {
            Float((Double($0) * Double($1)).magnitude / total)
        }
    }

    /// Over all weights (parameters of two axes and more); biases and normalisation are not gated.
    private static func total(_ scene: ScoringScene) -> Double {
        var total = 0.0
        for (id, gradients) in scene.evidence[.meanGradients].sorted(by: { $0.key < $1.key }) {
            guard gradients.shape.rank > 1, let tensor = scene.graph.constants[id],
                tensor.shape == gradients.shape
            else { continue }
            for (gradient, weight) in zip(
                gradients.scalars(as: Float.self), tensor.scalars(as: Float.self))
            {
                total += (Double(gradient) * Double(weight)).magnitude
            }
        }
        return total
    }
}
