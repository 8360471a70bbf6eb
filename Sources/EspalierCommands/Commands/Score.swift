import ArgumentParser
import Espalier
import EspalierArchives
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTensors
import EspalierTraining

/// Shows how much each part of a model matters, by one criterion or several.
struct Score: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores the importance of a model's weights or channels, without pruning.",
        discussion: """
            Higher is more important. Criteria that measure need --data, of which they read a part once for each kind of \
            pass, however many criteria need it. The table shows, for each weight or group of channels, how its scores are \
            spread; near zero are those below a thousandth of the layer's largest; Gini is 0 where all matter alike and \
            towards 1 where few matter. --list explains the criteria.

            EXAMPLE
              espalier score dense.onnx --criterion magnitude,saliency --data fashion-mnist -o scores.npz
              espalier score dense.onnx --criterion firing --data digits --report firing.html
              espalier score --list
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String?

    @Option(
        help: ArgumentHelp("One criterion or several, separated by commas.", valueName: "name,..."),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String = Magnitude.information.id

    @Option(
        name: .customLong("granularity"),
        help: "What is scored; without it all that a criterion can score.")
    var granularityName: GranularityName<WeightsOrChannels>?

    @OptionGroup var scoring: ScoringOptions<ScoresToShow>

    @Flag(help: "Explain every criterion: what it measures and costs, and when it misleads.")
    var list = false

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource?

    @Option(help: "The part of the data.")
    var split = SplitName(.fit)

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var shapeOptions: ShapeOptions

    @Option(help: ArgumentHelp("Samples that importance is measured on.", valueName: "n"))
    var evidenceSamples: Int = 2000

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where the scores go: an array for each weight, and groups/ID for each group of channels.",
            valueName: "scores.npz"),
        completion: .file(extensions: ["npz"]))
    var output: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard model != nil || list else { throw ValidationError("name a model, or give --list") }
        guard evidenceSamples > 0 else { throw ValidationError("--evidence-samples must be positive") }
        _ = try CriterionNames.names(criterion, of: "--criterion", for: granularity)
    }

    /// Blocks and N:M groups have no scores beside those of their weights.
    private var granularity: Granularity? { granularityName?.granularity }

    private var names: [String] {
        criterion.split(separator: ",").map { name in String(name.filter { !$0.isWhitespace }) }
    }

    func run() throws {
        if list { return try CriterionList.tell(on: common.console) }
        guard let model else { return }
        let recorder = try RunRecorder(
            "score", common, writing: [output], reading: [model, EvidenceFile.path(beside: model)], data: data
        )
        let loaded = try LoadedModel(model)
        let dataset = try data.map { source in
            common.console.status("reading \(source)")
            return try source.load(
                split.split, options: try dataOptions.loadOptions(for: source, graph: loaded.graph))
        }
        var pipeline = try pipeline()
        pipeline.inputShapes = try shapeOptions.inputShapes(of: loaded.graph)
        for criterion in pipeline.criteria {
            pipeline.recorded.merge(
                try EvidenceFile.evidence(for: criterion, of: loaded.graph, beside: model))
        }
        if dataset != nil { common.console.status("measuring importance") }
        let outcome = try pipeline.run(loaded.graph, dataset: dataset)
        if let output { try NpzArchive.write(arrays(outcome), to: output) }
        var record = recorder.record(model: loaded)
        record.data = dataset.map {
            .init(name: $0.name, fingerprint: $0.fingerprint, trainingSamples: $0.sampleCount)
        }
        record.samples = outcome.sampleCount
        record.scores = outcome.scores.compactMap { RunRecord.Score($0) }
        record.firing = outcome.firing?.groups.map { RunRecord.Firing($0) }
        record.request = settings
        record.outputs = output.map { [$0] }
        if outcome.firing?.groups.contains(where: { $0.saliency == nil }) ?? false {
            record.notes = [
                "Firing is not compared with saliency: the data have no labels, or the network has no gradient."
            ]
        }
        ScoreTable.tell(record, on: common.console)
        try common.deliver(record, as: ScoreDocument(record))
    }

    // MARK: Parts

    private func pipeline() throws -> ScorePipeline {
        var pipeline = ScorePipeline(
            try names.map { try Criteria.criterion($0, seed: common.seed) },
            lane: try Lane(threads: common.threads))
        pipeline.granularity = granularity
        pipeline.aggregation = scoring.aggregation
        pipeline.normalization = scoring.normalization
        pipeline.evidenceSamples = evidenceSamples
        pipeline.analysesFiring = names.contains(FiringProbability.information.id)
        pipeline.seed = common.seed
        pipeline.willMeasureBatch = Interruption.check
        return pipeline
    }

    /// With several criteria each has a folder.
    private func arrays(_ outcome: ScorePipeline.Outcome) -> [(name: String, tensor: Tensor)] {
        outcome.scores.flatMap { scores in
            let folder = outcome.scores.count > 1 ? "\(scores.criterion.information.id)/" : ""
            return scores.results.flatMap { result in
                result.layers.map { layer in
                    let name = result.granularity == .channel ? "groups/\(layer.name)" : layer.name
                    let scalars = layer.scores.map { Float($0) }
                    return (name: folder + name, tensor: Tensor(shape: layer.shape, scalars: scalars))
                }
            }
        }
    }

    private var settings: [RunRecord.Setting] {
        var settings = [RunRecord.Setting("criteria", names.joined(separator: ", "))]
        if let granularity { settings.append(.init("granularity", granularity.rawValue)) }
        if let aggregation = scoring.aggregation {
            settings.append(.init("aggregation", aggregation.rawValue))
        }
        if let normalization = scoring.normalization {
            settings.append(.init("normalization", normalization.rawValue))
        }
        return settings
    }
}
