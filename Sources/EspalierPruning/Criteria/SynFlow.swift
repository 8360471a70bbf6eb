import EspalierTensors

extension EvidenceKind {
    /// Per weight, w dR/dw / R, the share of the synaptic flow R that goes through it. Needs no data.
    package static let synapticFlow = EvidenceKind(rawValue: "synapticFlow")
}

/// Synaptic flow: the share of all paths from inputs to outputs, each weighed by the product of its weights' sizes, that
/// goes through a weight.
///
/// Shares of the weights of a layer through which everything goes sum to 1, so no layer is ever cut off as long as
/// pruning is done in many rounds: after each one the flow is found anew. The paper's score is this times R, one number.
package struct SynFlow: Criterion {
    package static let information = CriterionInformation(
        id: "synflow", name: "SynFlow",
        measures:
            "the share of all weighted paths through the network that a weight lies on; needs no data; one-shot pruning "
            + "goes in 100 rounds",
        misleads: "on trained networks, for it knows nothing of the data; it keeps what is well connected",
        source: "Tanaka et al. 2020", unit: "share of the flow")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.synapticFlow] }

    package var rounds: Int { 100 }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.synapticFlow, for: parameter, scene: scene).scalars(as: Float.self)
    }
}
