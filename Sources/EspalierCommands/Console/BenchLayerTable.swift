import EspalierReports
import EspalierRuns

/// The steps of one network, as people read them.
enum BenchLayerTable {
    static func tell(_ model: RunRecord.BenchmarkedModel, on console: Console) {
        console.result("\n\(model.path), microseconds of each step:")
        var table = Table([
            ("step", .left), ("format", .left), ("us", .right), ("dense us", .right), ("MACs", .right),
            ("remaining", .right),
            ("GFLOP/s", .right), ("theoretical", .right), ("actual", .right), ("efficiency", .right),
            ("compute", .right), ("bandwidth", .right), ("predicted us", .right), ("error", .right),
        ])
        for layer in model.layers {
            table.add(
                layer.name + (layer.isReference == true ? " (reference)" : ""),
                layer.format ?? "", microseconds(layer.medianUs), microseconds(layer.denseUs),
                layer.macs == 0 ? "" : Format.short(layer.macs),
                layer.macs == 0 ? "" : Format.short(layer.remainingMacs),
                layer.usefulGflops.map { Format.fixed($0, 1) } ?? "",
                layer.theoreticalSpeedup.map(BenchTable.times) ?? "",
                layer.actualSpeedup.map(BenchTable.times) ?? "", percent(layer.realizedEfficiency),
                percent(layer.computeShare), percent(layer.bandwidthShare), microseconds(layer.predictedUs),
                layer.predictionError.map { ($0 < 0 ? "" : "+") + Format.percent($0, digits: 0) } ?? "")
        }
        let (own, dense) = (
            model.layers.reduce(0) { $0 + ($1.medianUs ?? 0) },
            model.layers.reduce(0) { $0 + ($1.denseUs ?? 0) }
        )
        table.setFooter(
            "all steps", "", microseconds(own), microseconds(dense), Format.short(model.macs),
            Format.short(model.remainingMacs))
        console.result(table)
    }

    static func ceilings(_ ceilings: RunRecord.Ceilings, on console: Console) {
        let levels = ceilings.levels.map { level in
            "\(level.name) \(Format.fixed(level.gigabytesPerSecond, 0)) GB/s"
        }
        var facts = FactSheet()
        facts.add(
            "ceilings",
            "\(Format.fixed(ceilings.gflops, 0)) GFLOP/s; reading \(levels.joined(separator: ", "))")
        console.result("\n" + facts.rendered())
    }

    /// Three significant digits.
    static func microseconds(_ value: Double?) -> String {
        value.map { Format.fixed($0, $0 >= 100 ? 0 : $0 >= 10 ? 1 : 2) } ?? ""
    }

    private static func percent(_ value: Double?) -> String {
        value.map { Format.percent($0, digits: 0) } ?? ""
    }
}
