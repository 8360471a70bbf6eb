package import EspalierGraphs
package import EspalierTensors

/// A quantity measured on data that a criterion may ask for.
///
/// A criterion which needs a new one declares a constant in its own file; whoever collects evidence
/// implements it.
package struct EvidenceKind: Hashable, Sendable, Codable, RawRepresentable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Per parameter element, the mean over samples of the squared gradient of ONE sample's loss, E[g^2].
    /// The square of the mean gradient is something else.
    package static let meanSquaredGradients = EvidenceKind(rawValue: "meanSquaredGradients")
    /// Per parameter element, the mean over samples of the gradient of a sample's loss, E[g].
    package static let meanGradients = EvidenceKind(rawValue: "meanGradients")
}

extension EvidenceKind: CustomStringConvertible {
    package var description: String { rawValue }
}

/// What was measured on data: tensors by kind and by the value they belong to, a parameter (with its shape)
/// or an activation (whatever the kind says).
///
/// It is filled by whoever can run the network; criteria only read it.
package struct Evidence: Sendable {
    /// The number of samples that the means were taken over.
    package var sampleCount: Int
    package var tensors: [EvidenceKind: [ValueID: Tensor]]
    /// Numbers of whole units, by kind and by the group they belong to: what cannot be had from sums over elements.
    package var units: [EvidenceKind: [PruningGroup.ID: [Double]]] = [:]
    /// What each pass over the data took.
    package var costs: [PassCost] = []

    /// What one pass over the data found, and how long it took.
    package struct PassCost: Sendable {
        package let kinds: Set<EvidenceKind>
        package let seconds: Double
    }

    package init(sampleCount: Int = 0, tensors: [EvidenceKind: [ValueID: Tensor]] = [:]) {
        self.sampleCount = sampleCount
        self.tensors = tensors
    }

    /// Takes over another's kinds, and the number of samples that either was measured on. What training saw, a sample
    /// once an epoch, counts only where there is nothing else: no mean of other kinds was taken over it.
    package mutating func merge(_ other: Evidence) {
        let measured = [self, other].filter { $0.kinds.contains { !$0.isFromTraining } }.map(\.sampleCount)
        sampleCount = measured.max() ?? max(sampleCount, other.sampleCount)
        tensors.merge(other.tensors) { _, new in new }
        units.merge(other.units) { _, new in new }
        costs += other.costs
    }

    /// No evidence: enough for criteria that look at nothing but the weights.
    package static let none = Evidence()

    package subscript(kind: EvidenceKind) -> [ValueID: Tensor] {
        get { tensors[kind] ?? [:] }
        set { tensors[kind] = newValue }
    }

    package var kinds: Set<EvidenceKind> { Set(tensors.keys).union(units.keys) }

    /// The memory of evidence of some kinds.
    package func byteCount(of kinds: Set<EvidenceKind>) -> Int {
        kinds.reduce(0) { sum, kind in self[kind].values.reduce(sum) { $0 + $1.byteCount } }
    }

    /// The time of the passes that measured any of some kinds.
    package func seconds(for kinds: Set<EvidenceKind>) -> Double {
        costs.filter { !$0.kinds.isDisjoint(with: kinds) }.reduce(0) { $0 + $1.seconds }
    }
}

extension Evidence {
    /// Measures, on a network with the weights of the moment, what a criterion requires.
    package typealias Source = (Graph) throws -> Evidence
}
