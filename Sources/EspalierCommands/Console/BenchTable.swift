import EspalierReports
import EspalierRuns

/// What `bench` measured, as people read it.
enum BenchTable {
    static func tell(_ record: RunRecord, layers: Bool, on console: Console) {
        let models = record.models ?? []
        console.result(table(models))
        console.result("")
        console.result(facts(models).rendered())
        guard layers else { return }
        for model in models { BenchLayerTable.tell(model, on: console) }
        if let ceilings = record.ceilings { BenchLayerTable.ceilings(ceilings, on: console) }
    }

    private static func table(_ models: [RunRecord.BenchmarkedModel]) -> Table {
        let hasPeer = models.contains { $0.peer != nil }
        var columns: [(title: String, alignment: Table.Alignment)] = [
            ("model", .left), ("ms", .right), ("10 to 90 %", .right), ("dense ms", .right), ("MACs", .right),
            ("remaining", .right), ("theoretical", .right), ("actual", .right), ("10 to 90 %", .right),
            ("efficiency", .right),
        ]
        if hasPeer { columns += [("peer ms", .right), ("peer / ours", .right), ("peer / dense", .right)] }
        var table = Table(columns)
        for model in models {
            var cells = [
                model.path, milliseconds(model.medianMs), range(model.p10Ms, model.p90Ms, milliseconds),
                milliseconds(model.denseMs), Format.short(model.macs), Format.short(model.remainingMacs),
                times(model.theoreticalSpeedup), times(model.actualSpeedup),
                range(model.actualSpeedupP10, model.actualSpeedupP90) { Format.fixed($0, 2) },
                Format.percent(model.realizedEfficiency),
            ]
            if let peer = model.peer {
                cells += [
                    peer.milliseconds.map { milliseconds($0.median) } ?? "-",
                    peer.speedup.map { times($0.median) } ?? "-",
                    peer.denseSpeedup.map { times($0.median) } ?? "-",
                ]
            }
            table.add(cells)
        }
        return table
    }

    private static func facts(_ models: [RunRecord.BenchmarkedModel]) -> FactSheet {
        var facts = FactSheet()
        guard let first = models.first else { return facts }
        let samples = first.batch == 1 ? "1 sample" : "\(first.batch) samples"
        let threads = first.threads == 1 ? "1 thread" : "\(first.threads) threads"
        let precision = first.precision.map { ", \($0)" } ?? ""
        facts.add(
            "inference",
            "\(samples), \(threads)\(precision), inputs in place; \(first.rounds) alternating rounds")
        if first.lacksPrecision {
            facts.add(
                "no bfloat16",
                "this processor has no instructions for it: dense layers were computed in float32")
        }
        for model in models {
            guard let loss = model.precisionLoss else { continue }
            facts.add(
                "from float32",
                "\(model.path): outputs differ by at most \(Format.scientific(loss.relativeDifference)) of their range"
            )
        }
        if models.count > 1 { facts.add("reference", "\(first.path), executed dense") }
        for model in models {
            guard let peer = model.peer else { continue }
            let name = "\(peer.name) \(peer.version)"
            if let problem = peer.problem {
                facts.add(name, "\(model.path): \(problem)")
            } else {
                let difference = Format.scientific(peer.maxAbsoluteDifference ?? 0)
                facts.add(
                    name,
                    "\(model.path): outputs differ by at most \(difference), they reach "
                        + Format.significant(peer.outputRange ?? 0))
            }
        }
        for model in models where model.isDisturbed {
            facts.add(
                "busy machine",
                "\(model.path): interrupted \(Format.count(model.interruptions ?? 0)) times while it was measured; "
                    + "trust speedups, and times of a few milliseconds at most")
        }
        return facts
    }

    /// Three significant digits.
    static func milliseconds(_ value: Double) -> String {
        Format.fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : value >= 0.1 ? 3 : 4)
    }

    static func times(_ value: Double) -> String { Format.fixed(value, 2) + "x" }

    private static func range(_ low: Double, _ high: Double, _ text: (Double) -> String) -> String {
        "\(text(low)) to \(text(high))"
    }
}
