import EspalierRuns

/// What `bench` measured, as the values that the template names.
struct EfficiencySection {
    private let models: [RunRecord.BenchmarkedModel]
    private let ceilings: RunRecord.Ceilings?

    init(_ models: [RunRecord.BenchmarkedModel], ceilings: RunRecord.Ceilings?) {
        self.models = models
        self.ceilings = ceilings
    }

    var context: [String: Any] {
        [
            "summary": summary, "hasPeer": hasPeer,
            "rows": models.map(row),
            "notes": models.compactMap(precisionNote) + models.compactMap(peerNote)
                + models.filter(\.isDisturbed).map(disturbanceNote),
            "charts": [latencies].filter { !$0.isEmpty },
            "networks": models.filter { !$0.layers.isEmpty }.map { model in
                [
                    "path": model.path, "charts": [steps(model)].filter { !$0.isEmpty },
                    "rows": model.layers.map(layerRow),
                ] as [String: Any]
            },
        ]
    }

    private var hasPeer: Bool { models.contains { $0.peer?.milliseconds != nil } }

    private var summary: String {
        guard let first = models.first else { return "" }
        let samples = first.batch == 1 ? "one sample" : "\(first.batch) samples"
        let precision = first.precision.map { " in \($0)" } ?? ""
        var text =
            "Milliseconds of one inference of \(samples)\(precision), inputs in place, in \(first.rounds) alternating rounds. "
            + "Theoretical speedup: multiply-accumulates of \(first.path) by those left; actual speedup: its dense "
            + "time by the model's; realized efficiency: actual by theoretical."
        if let ceilings {
            let levels = ceilings.levels.map { "\($0.name) \(Format.fixed($0.gigabytesPerSecond, 0)) GB/s" }
            text +=
                " The machine's ceilings: \(Format.fixed(ceilings.gflops, 0)) GFLOP/s; reading "
                + levels.joined(separator: ", ") + "."
        }
        return text
    }

    private func row(_ model: RunRecord.BenchmarkedModel) -> [String: String] {
        [
            "path": model.path, "median": Format.significant(model.medianMs),
            "spread": "\(Format.significant(model.p10Ms)) to \(Format.significant(model.p90Ms))",
            "dense": Format.significant(model.denseMs), "macs": Format.short(model.macs),
            "remaining": Format.short(model.remainingMacs), "theoretical": times(model.theoreticalSpeedup),
            "actual":
                "\(times(model.actualSpeedup)) (\(Format.fixed(model.actualSpeedupP10, 2)) to "
                + "\(Format.fixed(model.actualSpeedupP90, 2)))",
            "efficiency": Format.percent(model.realizedEfficiency),
            "peer": model.peer?.milliseconds.map { Format.significant($0.median) } ?? "",
            "peerSpeedup": model.peer?.speedup.map { times($0.median) } ?? "",
        ]
    }

    private func precisionNote(_ model: RunRecord.BenchmarkedModel) -> String? {
        guard let loss = model.precisionLoss else { return nil }
        return "\(model.path), \(model.precision ?? ""): outputs differ from those in float32 by at most "
            + "\(Format.scientific(loss.relativeDifference)) of their range"
            + (model.lacksPrecision ? "; this processor has no bfloat16, dense layers are in float32" : "")
    }

    private func peerNote(_ model: RunRecord.BenchmarkedModel) -> String? {
        guard let peer = model.peer else { return nil }
        let name = "\(peer.name) \(peer.version), \(model.path)"
        if let problem = peer.problem { return "\(name): \(problem)" }
        return peer.maxAbsoluteDifference.map { difference in
            "\(name): outputs differ by at most \(Format.scientific(difference)), they reach "
                + Format.significant(peer.outputRange ?? 0)
        }
    }

    private func disturbanceNote(_ model: RunRecord.BenchmarkedModel) -> String {
        "\(model.path): the system interrupted the measurement \(Format.count(model.interruptions ?? 0)) times; trust "
            + "speedups, and times of a few milliseconds at most"
    }

    private func layerRow(_ layer: RunRecord.BenchmarkedLayer) -> [String: String] {
        func percent(_ value: Double?) -> String { value.map { Format.percent($0, digits: 0) } ?? "" }
        func micros(_ value: Double?) -> String { value.map(Format.significant) ?? "" }
        let hasMacs = layer.macs > 0
        return [
            "name": layer.name, "format": layer.format ?? "", "median": micros(layer.medianUs),
            "dense": micros(layer.denseUs),
            "macs": hasMacs ? Format.short(layer.macs) : "",
            "remaining": hasMacs ? Format.short(layer.remainingMacs) : "",
            "gflops": layer.usefulGflops.map { Format.fixed($0, 1) } ?? "",
            "theoretical": layer.theoreticalSpeedup.map(times) ?? "",
            "actual": layer.actualSpeedup.map(times) ?? "", "efficiency": percent(layer.realizedEfficiency),
            "compute": percent(layer.computeShare), "bandwidth": percent(layer.bandwidthShare),
            "predicted": micros(layer.predictedUs),
            "error": layer.predictionError.map { ($0 < 0 ? "" : "+") + percent($0) } ?? "",
        ]
    }

    // MARK: Pictures

    private var latencies: String {
        let peer = models.lazy.compactMap { $0.peer?.name }.first ?? ""
        return BarChart(
            title: "Milliseconds of one inference", series: ["dense", "as it is"] + (hasPeer ? [peer] : []),
            rows: models.map { model in
                .init(
                    name: model.path,
                    values: [model.ownDenseMs ?? model.denseMs, model.medianMs]
                        + (hasPeer ? [model.peer?.milliseconds?.median] : []))
            }, format: Format.significant
        ).rendered()
    }

    /// More bars than these are no picture; the table has them all.
    private static let mostBars = 40

    private func steps(_ model: RunRecord.BenchmarkedModel) -> String {
        let times = model.layers.map { max($0.medianUs ?? 0, $0.denseUs ?? 0) }
        let least = times.sorted(by: >).dropFirst(Self.mostBars - 1).first ?? 0
        let shown = zip(model.layers, times).filter { $0.1 >= least && $0.1 > 0 }.map(\.0)
        return BarChart(
            title: "Microseconds of each step", series: ["dense", "as it is"],
            rows: shown.prefix(Self.mostBars).map {
                .init(name: $0.name, values: [$0.denseUs, $0.medianUs])
            },
            format: Format.significant
        ).rendered()
    }

    private func times(_ value: Double) -> String { Format.fixed(value, 2) + "x" }
}
