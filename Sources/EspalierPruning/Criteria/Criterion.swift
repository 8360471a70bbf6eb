package import EspalierGraphs
package import EspalierOperators
package import EspalierTensors

/// A measure of how much a part of a network matters: higher means keep.
///
/// A criterion sees parameters, slices of them and evidence; it never sees layers or operators. It gives each
/// element of a parameter a *contribution*; the importance of any set of elements, a single one or a whole
/// channel with all its slices, is ``finish(_:)`` of the ``reduction`` of their contributions. So one formula
/// serves single weights and channels (blocks and N:M groups compare the scores of their weights), and no score
/// depends on the order of a group's members. A criterion that is not
/// of this form (distances between filters, ranks of feature maps) implements ``unitScores(of:scene:)``
/// itself.
///
/// To add one: one new file in `Criteria/` and one line in ``Criteria/all``.
package protocol Criterion: Sendable {
    static var information: CriterionInformation { get }

    /// What it can score.
    static var granularities: Set<Granularity.Kind> { get }

    /// Which elements it compares with each other.
    static var comparison: ElementComparison { get }

    init(seed: UInt64)

    /// What must be measured before it can score.
    var requiredEvidence: Set<EvidenceKind> { get }

    /// The contribution of each element of `parameter`, in row-major order.
    ///
    /// - Throws: ``PruningError/missingEvidence(criterion:kind:parameter:)``.
    func contributions(of parameter: ScoredParameter, scene: ScoringScene) throws(PruningError) -> [Float]

    /// How contributions of several elements become one.
    var reduction: Reduction { get }

    /// The importance that a reduced contribution amounts to.
    func finish(_ reduced: Double) -> Double

    /// The roles of slices that count for a unit's score. Normalisation's parameters and biases are on
    /// another scale than weights, so unless a criterion is about them they are left out.
    var countedRoles: Set<SliceRole> { get }

    /// How scores of different groups are made comparable when they compete with each other.
    var groupNormalization: ScoreNormalization { get }

    /// In how many rounds one-shot pruning goes: after each, what is left is measured anew.
    var rounds: Int { get }

    /// The importance of each element of a parameter, in row-major order.
    func elementScores(of parameter: ScoredParameter, scene: ScoringScene) throws(PruningError) -> [Float]

    /// The importance of each unit of a group.
    func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double]
}

/// What people need to know to choose a criterion.
package struct CriterionInformation: Sendable {
    /// As on the command line.
    package let id: String
    package let name: String
    /// What it measures and what it costs to compute, in a line.
    package let measures: String
    /// When it misleads, in a line.
    package let misleads: String
    /// Author and year.
    package let source: String
    /// The unit of the scores.
    package let unit: String

    package init(
        id: String, name: String, measures: String, misleads: String, source: String, unit: String
    ) {
        self.id = id
        self.name = name
        self.measures = measures
        self.misleads = misleads
        self.source = source
        self.unit = unit
    }
}

/// A parameter to be scored.
package struct ScoredParameter: Sendable {
    package let id: ValueID
    package let name: String
    package let tensor: Tensor

    package init(id: ValueID, name: String, tensor: Tensor) {
        self.id = id
        self.name = name
        self.tensor = tensor
    }
}

/// Which elements of a weight compete with each other.
package enum ElementComparison: Sendable {
    /// All of a weight, and those of other weights as the scope says.
    case asScoped
    /// Only those of one output row: each row loses the same share.
    case withinOutputRow
}

extension Criterion {
    package static var granularities: Set<Granularity.Kind> { Set(Granularity.Kind.allCases) }
    package static var comparison: ElementComparison { .asScoped }
    package var requiredEvidence: Set<EvidenceKind> { [] }
    package var reduction: Reduction { .sum }
    package func finish(_ reduced: Double) -> Double { reduced }
    package var countedRoles: Set<SliceRole> { [.producer, .consumer] }
    package var groupNormalization: ScoreNormalization { .none }
    package var rounds: Int { 1 }

    package var information: CriterionInformation { Self.information }

    /// The evidence of one kind for a parameter.
    package func evidence(
        _ kind: EvidenceKind, for parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> Tensor {
        guard let tensor = scene.evidence[kind][parameter.id], tensor.shape == parameter.tensor.shape else {
            throw .missingEvidence(criterion: Self.information.id, kind: kind, parameter: parameter.name)
        }
        return tensor
    }

    /// The importance of each element of a parameter.
    package func elementScores(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        guard Self.granularities.contains(.element) else {
            throw .granularity(criterion: Self.information.id, .element, known: Self.granularities)
        }
        let scores = try contributions(of: parameter, scene: scene).map { Float(finish(Double($0))) }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Self.information.id, subject: parameter.name)
        }
        return scores
    }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        try UnitReduction(self, scene: scene).scores(of: group)
    }
}
