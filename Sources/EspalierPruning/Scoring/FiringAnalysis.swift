import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// How often the units of a network fire, and how that goes together with the saliency of the weights that make them.
///
/// For a ReLU unit E[g^2] = P(z > 0) E[g^2 given z > 0] for every incoming weight: a unit that never fires has none.
package struct FiringAnalysis: Sendable {
    /// Units that fire in a smaller share of samples, but do fire, are nearly dead.
    package static let nearlyDead = 0.01

    package struct Group: Sendable {
        package let name: String
        /// Per unit the share of samples in which it fires at any position.
        package let samples: [Double]
        /// Per unit the share of samples and positions at which it fires.
        package let shares: [Double]
        /// Per unit the sum of E[g^2] over its incoming weights; nil if it was not measured.
        package let saliency: [Double]?

        package var dead: Int { samples.count { $0 == 0 } }
        package var nearlyDead: Int { samples.count { $0 > 0 && $0 < FiringAnalysis.nearlyDead } }
    }

    package let groups: [Group]

    /// What the criterion `firing` requires.
    package static let requiredEvidence = FiringProbability().requiredEvidence

    /// - Parameter evidence: ``requiredEvidence``, and for the saliency `meanSquaredGradients`.
    /// - Throws: ``PruningError/missingEvidence(criterion:kind:parameter:)``.
    package init(_ pruner: Pruner, evidence: Evidence) throws(PruningError) {
        let scene = ScoringScene(pruner.graph, evidence: evidence)
        var groups: [Group] = []
        for group in pruner.groups.open {
            do throws(PruningError) {
                let firing = FiringProbability()
                let samples = try firing.largest(of: [.firingSamples], on: group, scene: scene) { $0[0] }
                let shares = try firing.largest(of: [.firingShares], on: group, scene: scene) { $0[0] }
                let saliency =
                    evidence.tensors[.meanSquaredGradients] == nil
                    ? nil : try IncomingSaliency().unitScores(of: group, scene: scene)
                groups.append(Group(name: group.id, samples: samples, shares: shares, saliency: saliency))
            } catch .notScored {
                continue
            }
        }
        self.groups = groups
    }

    /// The saliency of the weights that produce a unit, without those that read it.
    private struct IncomingSaliency: Criterion {
        static let information = EmpiricalFisher.information
        private let saliency = EmpiricalFisher()

        init(seed: UInt64 = 0) {}

        var countedRoles: Set<SliceRole> { [.producer] }
        var requiredEvidence: Set<EvidenceKind> { saliency.requiredEvidence }

        func contributions(
            of parameter: ScoredParameter, scene: ScoringScene
        ) throws(PruningError) -> [Float] {
            try saliency.contributions(of: parameter, scene: scene)
        }
    }
}
