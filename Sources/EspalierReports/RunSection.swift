import EspalierRuns

/// One run's part of the page, as the values that the template names.
struct RunSection {
    private let record: RunRecord

    init(_ record: RunRecord) {
        self.record = record
    }

    var context: [String: Any] {
        let cards = cards
        let bars = bars
        let curves = curves
        var context: [String: Any] = [
            "heading": heading,
            "summary": summary,
            "cards": cards, "hasCards": !cards.isEmpty,
            "notes": record.notes ?? [],
            "bars": bars, "hasBars": !bars.isEmpty,
            "curves": curves, "hasCurves": !curves.isEmpty,
            "commandLine": ShellCommand.text(record.arguments),
            "settings": settings.map { ["name": $0.name, "value": $0.value] },
        ]
        context.merge(ScoreSection(record).context) { $1 }
        if let redundancy = record.redundancy {
            context["redundancy"] = RedundancySection(redundancy).context
        }
        if let curves = record.curves, !curves.isEmpty {
            context["comparison"] = ComparisonSection(curves, record).context
        }
        if let sensitivity = record.sensitivity {
            context["sensitivity"] = SensitivitySection(sensitivity).context
        }
        if let tickets = record.ticketFrequencies { context["tickets"] = TicketSection(tickets).context }
        if let front = FrontSection(record) { context["front"] = front.context }
        if let lottery = LotterySection(record) { context["lottery"] = lottery.context }
        if let robustness = RobustnessSection(record) { context["robustness"] = robustness.context }
        if let models = record.models, !models.isEmpty {
            context["efficiency"] = EfficiencySection(models, ceilings: record.ceilings).context
        }
        let stages = stages
        if !stages.isEmpty { context["stages"] = ["rows": stages] }
        if let layers = record.layers, !layers.isEmpty, record.scores == nil, record.sensitivity == nil,
            record.robustness == nil
        {
            context["receipt"] = ["rows": layers.map(receiptRow)]
        }
        if let refusals = record.refusals, !refusals.isEmpty {
            context["refusals"] = ["rows": refusals.map { ["name": $0.name, "reason": $0.reason] }]
        }
        return context
    }

    // MARK: Head

    private var heading: String {
        [record.command, record.model?.name, record.outputs?.first.map { "→ \($0)" }].compactMap { $0 }
            .joined(separator: " ")
    }

    private var summary: String {
        var parts: [String] = []
        if let data = record.data { parts.append("on \(data.name)") }
        if let seed = record.seed { parts.append("seed \(seed)") }
        if let threads = record.threads { parts.append(threads == 1 ? "1 thread" : "\(threads) threads") }
        if let seconds = record.elapsedSeconds { parts.append("took \(Format.duration(seconds: seconds))") }
        return parts.joined(separator: ", ")
    }

    private var cards: [[String: String]] {
        var cards: [[String: String]] = []
        func add(_ value: String, _ label: String) { cards.append(["value": value, "label": label]) }
        if let before = record.before, let after = record.after {
            let asked = record.requestedSparsity.map { ", \(Format.percent($0)) asked" }
            // Older records have one figure, of what was asked for.
            let prunable = record.prunableSparsity ?? (asked == nil ? nil : record.achievedSparsity)
            let overall = record.overallSparsity ?? (asked == nil ? record.achievedSparsity : nil)
            if let prunable {
                add(Format.percent(prunable), "of prunable parameters removed\(asked ?? "")")
            }
            if let overall { add(Format.percent(overall), "of all parameters removed") }
            add(Format.percent(ratio(after.effectiveMacs, before.effectiveMacs)), "of MACs left")
            add(Format.percent(ratio(after.nonzero, before.nonzero)), "of nonzero parameters left")
            if let old = before.accuracy, let new = after.accuracy {
                add(Format.percent(new, digits: 2), "accuracy, \(signedPoints(new - old)) points")
            }
        } else if let accuracy = record.accuracy {
            add(
                Format.percent(accuracy, digits: 2),
                record.curves == nil ? "accuracy" : "accuracy of the dense networks")
            if let loss = record.loss { add(Format.fixed(loss, 4), "loss") }
        }
        if let latency = record.latency {
            let (reached, how) =
                latency.achievedMs.map { ($0, "measured") } ?? (latency.predictedMs, "predicted")
            let others = [
                ("asked", latency.targetMs),
                latency.achievedMs == nil ? nil : ("predicted", latency.predictedMs),
                ("before", latency.beforeMs),
            ].compactMap { $0 }.map { "\(milliseconds($1)) \($0)" }
            add(milliseconds(reached), "a sample, \(how); \(others.joined(separator: ", "))")
        }
        if let firing = record.firing {
            add("\(firing.reduce(0) { $0 + $1.samples.count })", "units watched")
            // A file may have any counts: they wrap around rather than end the program.
            add("\(firing.reduce(0) { $0 &+ $1.dead })", "dead: they fire in no sample")
            add("\(firing.reduce(0) { $0 &+ $1.nearlyDead })", "nearly dead: they fire in fewer than 1 %")
        }
        FrontSection(record)?.cards.forEach { add($0.value, $0.label) }
        LotterySection(record)?.cards.forEach { add($0.value, $0.label) }
        RobustnessSection(record)?.cards.forEach { add($0.value, $0.label) }
        if let verification = record.verification {
            add(
                Format.scientific(verification.maxAbsoluteDifference),
                "largest difference of the file, read back")
        }
        return cards
    }

    private var afterName: String {
        if record.before == nil { return "trained" }
        return record.epochs?.isEmpty ?? true ? "after" : "after repair"
    }

    private var stages: [[String: String]] {
        let named: [(String, RunRecord.Measures?)] = [
            ("before", record.before), ("pruned", record.pruned),
            (afterName, record.after),
        ]
        return named.compactMap { name, measures in
            guard let measures else { return nil }
            return [
                "name": name, "accuracy": measures.accuracy.map { Format.percent($0, digits: 2) } ?? "",
                "loss": measures.loss.map { Format.fixed($0, 4) } ?? "", "split": measures.split ?? "",
                "parameters": Format.count(measures.parameters), "nonzero": Format.count(measures.nonzero),
                "macs": Format.count(measures.effectiveMacs),
            ]
        }
    }

    // MARK: Pictures

    private var bars: [String] {
        guard let layers = record.layers?.filter({ $0.parametersBefore > 0 }), !layers.isEmpty else {
            return []
        }
        return [
            KeptBarChart(
                title: "Parameters", unit: "parameters",
                rows: layers.map {
                    .init(name: $0.name, kept: $0.parametersAfter, total: $0.parametersBefore)
                }
            ).rendered(),
            KeptBarChart(
                title: "Multiply-accumulates", unit: "MACs",
                rows: layers.filter { $0.macsBefore > 0 }
                    .map { .init(name: $0.name, kept: $0.macsAfter, total: $0.macsBefore) }
            ).rendered(),
        ]
    }

    private var curves: [String] {
        guard let epochs = record.epochs, !epochs.isEmpty else { return [] }
        func points(_ value: (RunRecord.Epoch) -> Double?) -> [(x: Double, y: Double)] {
            epochs.compactMap { epoch in value(epoch).map { (x: Double(epoch.epoch), y: $0) } }
        }
        var charts = [
            LineChart(
                title: "Loss", horizontalTitle: "epoch",
                series: [
                    .init(name: "training", points: points(\.trainingLoss)),
                    .init(name: "validation", points: points(\.validationLoss)),
                ], format: { Format.fixed($0, 3) }
            ).rendered(),
            LineChart(
                title: "Accuracy", horizontalTitle: "epoch",
                series: [
                    .init(name: "training", points: points(\.trainingAccuracy)),
                    .init(name: "validation", points: points(\.validationAccuracy)),
                ], format: { Format.percent($0) }
            ).rendered(),
        ]
        let sparsity = points(\.sparsity)
        if sparsity.contains(where: { $0.y > 0 }) {
            charts.append(
                LineChart(
                    title: "Share of prunable weights removed", horizontalTitle: "epoch",
                    series: [.init(name: "sparsity", points: sparsity)], format: { Format.percent($0) }
                ).rendered())
        }
        return charts.filter { !$0.isEmpty }
    }

    // MARK: Tables

    private func receiptRow(_ layer: RunRecord.Layer) -> [String: String] {
        [
            "name": layer.name, "op": layer.op, "requested": layer.requested.map { Format.percent($0) } ?? "",
            "achieved": Format.percent(layer.achieved),
            "parameters": "\(Format.count(layer.parametersBefore)) → \(Format.count(layer.parametersAfter))",
            "macs": "\(Format.short(layer.macsBefore)) → \(Format.short(layer.macsAfter))",
            "refused": layer.refused ?? "",
        ]
    }

    private var settings: [RunRecord.Setting] {
        var settings = record.request ?? []
        if let data = record.data {
            settings.append(.init("data", "\(data.name), fingerprint \(data.fingerprint)"))
        }
        if let model = record.model?.fingerprint { settings.append(.init("model fingerprint", model)) }
        if let machine = record.machine {
            settings.append(
                .init(
                    "machine", "\(machine.processor), \(machine.instructionSet), \(machine.operatingSystem)"))
        }
        if let verification = record.verification {
            settings.append(
                .init(
                    "verified on",
                    "\(verification.samples) samples, outputs up to \(Format.fixed(verification.outputRange, 2))"
                ))
            if let surgery = verification.surgeryMaxAbsoluteDifference {
                settings.append(.init("cut against masked", Format.scientific(surgery)))
            }
        }
        return settings
    }

    private func ratio(_ part: Int, _ whole: Int) -> Double {
        whole == 0 ? 1 : Double(part) / Double(whole)
    }

    private func milliseconds(_ value: Double) -> String { "\(Format.digits(value, 3)) ms" }

    private func signedPoints(_ difference: Double) -> String {
        (difference >= 0 ? "+" : "") + Format.fixed(100 * difference, 2)
    }
}
