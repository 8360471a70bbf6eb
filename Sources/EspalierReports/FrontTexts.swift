import EspalierRuns

/// How the networks of a trade-off and their figures are written, everywhere the same.
struct FrontTexts {
    /// One of the quantities beside the error.
    struct Cost {
        var objective: RunRecord.Front.Objective
        /// The first one is what the front is over; a point has it under no name.
        var isFirst: Bool
    }

    let costs: [Cost]
    private let objectives: [RunRecord.Front.Objective]

    init(_ trade: RunRecord.Front?) {
        objectives = trade?.objectives ?? []
        let named = objectives.dropFirst()
        costs =
            named.isEmpty
            ? [Cost(objective: .init(name: "cost", unit: "", dense: 1), isFirst: true)]
            : named.enumerated().map { Cost(objective: $0.element, isFirst: $0.offset == 0) }
    }

    // MARK: Networks

    /// "lagrangian, price 0.5, seed 1"
    func name(_ point: RunRecord.FrontPoint) -> String {
        [point.method, decision(point), "seed \(point.seed)"].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// What decided how small the network is; empty where nothing did.
    func decision(_ point: RunRecord.FrontPoint) -> String {
        [
            point.lambda.map { "price \(Format.significant($0))" },
            point.budget.map { "at most \(Format.share($0))" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    /// "97.50 %", or a dash for what is not known.
    func accuracy(_ value: Double?) -> String {
        value.flatMap { $0.isFinite ? Format.percent($0, digits: 2) : nil } ?? Self.unknown
    }

    // MARK: Objectives

    func value(_ point: RunRecord.FrontPoint, of cost: Cost) -> Double? {
        cost.isFirst ? point.cost : point.values[cost.objective.name]
    }

    func text(_ point: RunRecord.FrontPoint, of cost: Cost) -> String {
        text(value(point, of: cost), of: cost.objective)
    }

    /// A value of an objective, with its unit; a dash for what is not known.
    func text(_ value: Double?, of objective: RunRecord.Front.Objective) -> String {
        guard let value, value.isFinite else { return Self.unknown }
        if objective.name == Self.accuracyDrop { return Format.fixed(100 * value, 2) + " points" }
        switch objective.unit {
        case "share": return Format.percent(value)
        case "": return Format.significant(value)
        default: return "\(Format.significant(value)) \(objective.unit)"
        }
    }

    /// Every objective of a network by its title, those of the trade-off first.
    func objectiveTexts(_ point: RunRecord.FrontPoint) -> [(name: String, value: String)] {
        let drop = objectives.prefix(1).map { ($0.title, text(point.values[$0.name], of: $0)) }
        let known = costs.map { ($0.objective.title, text(point, of: $0)) }
        let others = point.values.keys.filter { key in
            !objectives.contains { $0.name == key } && !costs.contains { $0.objective.name == key }
        }
        let rest = others.sorted().map { key -> (String, String) in
            let objective = RunRecord.Front.Objective(name: key, unit: "", dense: 0)
            return (objective.title, text(point.values[key], of: objective))
        }
        return (drop + known + rest).map { (name: $0.0, value: $0.1) }
    }

    /// The objective along an axis.
    func quantity(_ objective: RunRecord.Front.Objective) -> FrontChart.Quantity {
        switch objective.unit {
        case "share":
            .init(title: "\(objective.title), of the dense network", format: { Format.share($0) })
        default: .init(title: objective.measure, format: { Format.digits($0, 4) })
        }
    }

    private static let unknown = "–"
    private static let accuracyDrop = "accuracy-drop"
}

extension RunRecord.Front.Objective {
    /// Within a sentence: "MACs", "accuracy drop"
    var phrase: String {
        name == "macs"
            ? "MACs" : name.split(separator: "-", omittingEmptySubsequences: false).joined(separator: " ")
    }

    /// By itself: "MACs", "Accuracy drop"
    var title: String { phrase.prefix(1).uppercased() + phrase.dropFirst() }

    /// With its unit, where it has one: "Latency, ms"
    var measure: String { ["share", ""].contains(unit) ? title : "\(title), \(unit)" }
}
