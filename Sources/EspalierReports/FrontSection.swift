import EspalierRuns

/// What `pareto` found, as the values that the template names: the charts, what their script shows of a network, the
/// front as a table, and the widths along it.
struct FrontSection {
    private let front: [RunRecord.FrontPoint]
    private let dominated: [RunRecord.FrontPoint]
    private let record: RunRecord
    private let texts: FrontTexts

    /// Nil for records of other commands.
    init?(_ record: RunRecord) {
        guard record.front != nil || record.trade != nil else { return nil }
        front = record.front ?? []
        dominated = record.dominated ?? []
        self.record = record
        texts = FrontTexts(record.trade)
    }

    /// The networks in the order in which the page numbers them.
    private var networks: [RunRecord.FrontPoint] { front + dominated }

    var context: [String: Any] {
        let charts = charts
        let drawings = charts.map { $0.rendered() }.filter { !$0.isEmpty }
        var context: [String: Any] = [
            "summary": summary, "isEmpty": front.isEmpty, "charts": Array(drawings.prefix(1)),
            "others": Array(drawings.dropFirst()), "hasTable": !front.isEmpty,
            "costs": texts.costs.map { $0.objective.title },
            "rows": front.enumerated().map { row($0.offset, $0.element) },
        ]
        if !drawings.isEmpty {
            context["data"] = FrontPanel(networks, texts: texts, names: names, initial: initial).json
        }
        if charts.first?.isVerticallyLogarithmic == true {
            context["scale"] =
                "The vertical scale is logarithmic in the error, so that accuracies close to 100 % are told apart."
        }
        if let widths = FrontWidths(front, texts: texts, chosen: record.chosen?.key) {
            context["widths"] = widths.context
        }
        return context
    }

    var cards: [(value: String, label: String)] {
        var cards: [(value: String, label: String)] = []
        if let chosen = record.chosen {
            cards.append((texts.accuracy(1 - chosen.error), "validation accuracy of the chosen network"))
            if let accuracy = chosen.accuracy {
                cards.append((texts.accuracy(accuracy), "its test accuracy"))
            }
            for cost in texts.costs {
                cards.append((texts.text(chosen, of: cost), "its \(cost.objective.phrase)"))
            }
        }
        cards.append(("\(front.count) of \(networks.count)", "networks are on the front"))
        if let hypervolume = record.hypervolume {
            cards.append((Format.significant(hypervolume), "hypervolume"))
        }
        return cards
    }

    private var summary: String {
        let objectives = record.trade?.objectives ?? []
        let seeds = Set(networks.map(\.seed)).count
        let costs = texts.costs.map { $0.objective.phrase }.joined(separator: " and ")
        var sentences = [
            "A network is on the front if no other is at least as good in accuracy on the validation data and in \(costs), "
                + "and better in one of them"
                + (seeds > 1 ? "; those of \(seeds) seeds share one front." : ".")
        ]
        if let trade = record.trade, record.hypervolume != nil, trade.reference.count == objectives.count {
            let reference = zip(objectives, trade.reference)
                .map { "\($0.phrase) \(texts.text($1, of: $0))" }
            sentences.append("The hypervolume is measured from \(reference.joined(separator: ", ")).")
        }
        if let conditions = record.trade?.conditions, record.chosen != nil {
            sentences.append("Chosen under \(conditions).")
        }
        return sentences.joined(separator: " ")
    }

    // MARK: Charts

    private var names: [String: [String]] {
        var names: [String: [String]] = [:]
        if let key = record.chosen?.key { names[key, default: []].append(FrontChart.chosen) }
        if let key = record.trade?.knee { names[key, default: []].append("knee") }
        return names
    }

    /// The network that is shown before the reader chooses one.
    private var initial: Int {
        let keys = [record.chosen?.key, record.trade?.knee].compactMap { $0 }
        return keys.lazy.compactMap { key in networks.firstIndex { $0.key == key } }.first ?? 0
    }

    /// The methods' marks, in alphabetical order so that like reports look alike; the dense network's last.
    private var methods: [FrontChart.LegendEntry] {
        let methods = Set(networks.map(\.method))
        let entries = methods.subtracting([Self.dense]).sorted().enumerated()
            .map { FrontChart.LegendEntry(name: $0.element, mark: .method($0.offset)) }
        return methods.contains(Self.dense) ? entries + [.init(name: "dense network", mark: .dense)] : entries
    }

    /// The accuracy against each cost, then each pair of costs.
    private var charts: [FrontChart] {
        let methods = methods
        let accuracy = FrontChart.Quantity(title: "Validation accuracy", format: { Format.share(1 - $0) })
        let first = texts.costs.enumerated().map { place, cost in
            FrontChart(
                title: "Validation accuracy against \(cost.objective.phrase)",
                horizontal: texts.quantity(cost.objective), vertical: accuracy, isRising: true,
                points: points(methods, { texts.value($0, of: cost) }, { $0.error }), hasStaircase: true,
                methods: place == 0 ? methods : [])
        }
        let pairs = texts.costs.indices.flatMap { place in
            texts.costs[(place + 1)...].map { (texts.costs[place], $0) }
        }
        return first
            + pairs.map { one, other in
                FrontChart(
                    title: "\(other.objective.measure) against \(one.objective.phrase)",
                    horizontal: texts.quantity(one.objective), vertical: texts.quantity(other.objective),
                    isRising: false,
                    points: points(methods, { texts.value($0, of: one) }, { texts.value($0, of: other) }),
                    hasStaircase: false)
            }
    }

    /// The networks for which both values are known.
    private func points(
        _ methods: [FrontChart.LegendEntry], _ x: (RunRecord.FrontPoint) -> Double?,
        _ y: (RunRecord.FrontPoint) -> Double?
    ) -> [FrontChart.Point] {
        let marks = Dictionary(methods.map { ($0.name, $0.mark) }, uniquingKeysWith: { first, _ in first })
        let names = names
        return networks.enumerated().compactMap { place, network in
            guard let x = x(network), let y = y(network) else { return nil }
            let isOnFront = place < front.count
            let costs = texts.costs.map { "\($0.objective.title) \(texts.text(network, of: $0))" }
            let facts = ["\(texts.accuracy(1 - network.error)) on validation data"] + costs
            let standing = (names[network.key] ?? []) + (isOnFront ? [] : ["dominated"])
            return FrontChart.Point(
                network: place,
                mark: network.method == Self.dense ? .dense : marks[network.method] ?? .method(0),
                isOnFront: isOnFront, x: x, y: y,
                tooltip: "\(texts.name(network)): \((facts + standing).joined(separator: ", "))",
                names: names[network.key] ?? [])
        }
    }

    private static let dense = "dense"

    // MARK: Table

    private func row(_ place: Int, _ point: RunRecord.FrontPoint) -> [String: Any] {
        var row: [String: Any] = [
            "network": place, "method": point.method, "decision": texts.decision(point),
            "seed": String(point.seed), "validation": texts.accuracy(1 - point.error),
            "test": texts.accuracy(point.accuracy), "costs": texts.costs.map { texts.text(point, of: $0) },
            "names": (names[point.key] ?? []).joined(separator: ", "),
            "isChosen": point.key == record.chosen?.key,
        ]
        if let arguments = point.arguments { row["command"] = ShellCommand.text(arguments) }
        return row
    }
}
