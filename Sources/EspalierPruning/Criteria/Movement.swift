import EspalierTensors

extension EvidenceKind {
    /// Per parameter element, -sum over training steps of g w; left behind by training.
    package static let movement = EvidenceKind(rawValue: "movement")
    /// Per parameter element, the mean over all samples that training saw of single samples' squared gradients at the
    /// weights of the step; left behind by training.
    package static let journeySquaredGradients = EvidenceKind(rawValue: "journeySquaredGradients")

    /// Whether only training can collect it.
    package var isFromTraining: Bool { self == .movement || self == .journeySquaredGradients }
}

/// Movement: -sum over the steps of training of g w, g the mini-batch's gradient before the step and w the weight.
///
/// With plain gradient descent of rate eta a step changes w^2 by about -2 eta g w, so this is what the weight gained in size
/// (halved, and divided by the rate): positive where it moved away from zero. It cannot be had from a finished file:
/// `train --collect movement` leaves it beside the model. Scores may be negative.
package struct Movement: Criterion {
    package static let information = CriterionInformation(
        id: "movement", name: "Movement",
        measures:
            "whether training moved a weight away from zero, minus the sum of g w over its steps; needs what train --collect "
            + "movement left beside the model",
        misleads: "after training from scratch, where all weights move: it was made for fine-tuning",
        source: "Sanh et al. 2020", unit: "loss times steps")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.movement] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.movement, for: parameter, scene: scene).scalars(as: Float.self)
    }
}

/// Saliency over the journey: the mean of single samples' squared gradients over all samples and steps of training.
///
/// It remembers how strongly samples reacted to a weight before the network fitted them.
package struct JourneySaliency: Criterion {
    package static let information = CriterionInformation(
        id: "saliency-journey", name: "Saliency over training",
        measures:
            "how strongly single samples' losses reacted to a weight in the course of training; needs what train --collect "
            + "saliency left beside the model",
        misleads: "where early steps, with their large gradients, say little about the finished network",
        source: "the mean of the empirical Fisher diagonal along training",
        unit: "squared loss per squared weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.journeySquaredGradients] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.journeySquaredGradients, for: parameter, scene: scene).scalars(as: Float.self)
    }
}
