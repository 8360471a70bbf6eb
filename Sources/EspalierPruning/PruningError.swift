import EspalierGraphs
package import EspalierOperators

/// What keeps a network from being pruned as asked.
package enum PruningError: Error, Sendable {
    // What was asked
    case unknownCriterion(String, known: [String])
    case unknownScope(String, known: [String])
    case invalidTarget(String)
    case patternMatchesNothing(String, known: [String])
    case nothingToPrune(reasons: [String])
    /// No plan reaches the target; `nearest` is the best that any reaches, in the target's own terms.
    case infeasible(target: PruningTarget, nearest: Double, hint: String)
    /// Every network that was tried loses more than the allowed share of the validation accuracy, the best of them `least`.
    case tooInaccurate(allowedDrop: Double, least: Double)
    // Scoring
    case missingEvidence(criterion: String, kind: EvidenceKind, parameter: String)
    case scoreNotANumber(criterion: String, subject: String)
    case granularity(criterion: String, Granularity, known: Set<Granularity.Kind>)
    /// The criterion has scores of its own for whole channels, not made of those of elements.
    case nothingToAggregate(criterion: String)
    /// The criterion says nothing about that part of the network; it may say something about others.
    case notScored(criterion: String, subject: String, reason: String)
    // Plans
    case planUnreadable(String)
    case planVersion(Int)
    case planForAnotherModel(plan: String, model: String)
    case planEntry(String, problem: String)
    // Allocations
    case allocationUnreadable(String)
    case allocationVersion(Int)
    case allocationEntry(String, problem: String)
    case allocationGranularity(Granularity, asked: Granularity)
    // Surgery
    case resolution(ResolutionError)
    case node(String, OperatorError)
    case surgery(String)
}

extension PruningError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownCriterion(let id, let known):
            "there is no criterion '\(id)'; there are: \(known.joined(separator: ", "))"
        case .unknownScope(let id, let known):
            "there is no scope '\(id)'; there are: \(known.joined(separator: ", "))"
        case .invalidTarget(let problem): problem
        case .patternMatchesNothing(let pattern, let known):
            "the pattern '\(pattern)' fits no layer; layers are called: \(Self.listing(known))"
        case .nothingToPrune(let reasons):
            "nothing in this model can be pruned so: "
                + (reasons.isEmpty ? "it has no weights of layers that are known" : Self.listing(reasons))
        case .infeasible(let target, let nearest, let hint):
            Self.outOfReach("\(target)", nearest: nearest, hint: hint)
        case .tooInaccurate(let allowed, let least):
            Self.outOfReach(
                "an accuracy drop of at most \(allowed)", nearest: least,
                hint: "Give more epochs of repair, or a larger drop.")
        case .missingEvidence(let criterion, let kind, let parameter):
            "criterion '\(criterion)' needs \(kind) of '\(parameter)', which were not collected; "
                + (kind.isFromTraining ? "only training can: use --collect there" : "give --data")
        case .scoreNotANumber(let criterion, let subject):
            "criterion '\(criterion)' finds not-a-number for '\(subject)': something in it is not finite"
        case .granularity(let criterion, let granularity, let known):
            "criterion '\(criterion)' does not score by \(granularity.rawValue); give --granularity "
                + known.map(\.rawValue).sorted().joined(separator: " or ")
        case .nothingToAggregate(let criterion):
            "criterion '\(criterion)' scores whole channels, so there is nothing to aggregate; leave out --aggregation"
        case .notScored(let criterion, let subject, let reason):
            "criterion '\(criterion)' does not score '\(subject)': \(reason)"
        case .planUnreadable(let problem): "the plan cannot be read: \(problem)"
        case .planVersion(let version):
            "the plan is of schema version \(version); this version reads \(PrunePlan.schemaVersion)"
        case .planForAnotherModel(let plan, let model):
            "the plan was made for another model: its fingerprint is \(plan), this model's \(model)"
        case .planEntry(let name, let problem): "the plan's entry '\(name)': \(problem)"
        case .allocationUnreadable(let problem): "the allocation cannot be read: \(problem)"
        case .allocationVersion(let version):
            "the allocation is of schema version \(version); this version reads \(LayerAllocation.schemaVersion)"
        case .allocationEntry(let name, let problem): "the allocation's entry '\(name)': \(problem)"
        case .allocationGranularity(let granularity, let asked):
            "the allocation is of \(granularity.rawValue) granularity, not \(asked.rawValue)"
        case .resolution(let error): error.description
        case .node(let node, let error): "node '\(node)': \(error)"
        case .surgery(let problem): "the cut model does not fit together: \(problem)"
        }
    }

    static func listing(_ names: [String]) -> String {
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }

    private static func outOfReach(_ wanted: String, nearest: Double, hint: String) -> String {
        "\(wanted) is out of reach: the nearest possible is \(rounded(nearest)). \(hint)"
    }

    private static func rounded(_ value: Double) -> String {
        "\((value * 10_000).rounded() / 10_000)"
    }
}
