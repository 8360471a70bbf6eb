import EspalierTensors

extension EvidenceKind {
    /// Per parameter element, E_x E_{y ~ p(y | x)} [g_y^2] over the network's own distribution of targets, summed exactly:
    /// the diagonal of the true Fisher matrix and of the generalised Gauss-Newton matrix.
    package static let fisherDiagonal = EvidenceKind(rawValue: "fisherDiagonal")
    /// The same from targets drawn at random.
    package static let sampledFisherDiagonal = EvidenceKind(rawValue: "sampledFisherDiagonal")
}

/// The diagonal of the true Fisher matrix: E_x sum_y p(y | x) g_y^2, g_y one sample's gradient if its label were y.
///
/// The labels of the data play no part. For squared error p is the normal distribution that the loss is the likelihood of,
/// and the sum is (2 / K) sum_k (dy_k / dw)^2 over the K outputs.
package struct TrueFisher: Criterion {
    package static let information = CriterionInformation(
        id: "fisher", name: "Fisher information",
        measures:
            "how strongly the network's own distribution reacts to a weight, E[p(y) g_y^2] summed over classes; one backward "
            + "pass for each class, which is costly for many",
        misleads: "where the network is sure of everything: then its distribution hardly reacts at all",
        source: "Amari 1998; Martens 2020", unit: "squared loss per squared weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.fisherDiagonal] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.fisherDiagonal, for: parameter, scene: scene).scalars(as: Float.self)
    }
}

/// ``TrueFisher`` from one label a sample, drawn from the network's softmax: unbiased, one backward pass.
package struct SampledFisher: Criterion {
    package static let information = CriterionInformation(
        id: "fisher-sampled", name: "Fisher information (sampled)",
        measures:
            "as fisher, from a label drawn for each sample from the network's softmax; one backward pass over the data",
        misleads: "with few samples, since rare classes are hardly drawn",
        source: "Amari 1998; Kunstner et al. 2019", unit: "squared loss per squared weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.sampledFisherDiagonal] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.sampledFisherDiagonal, for: parameter, scene: scene).scalars(as: Float.self)
    }
}
