import ArgumentParser
import Espalier
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining

/// Shows what a model loses when one part of it is pruned at a time, and suggests how parts should share a removal.
struct Sensitivity: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures accuracy by layer and sparsity; suggests how layers should share a removal.",
        discussion: """
            One layer at a time (--granularity element) or one group of coupled channels (channel) is pruned to each of \
            --sparsities, all others staying whole, and accuracy and loss are measured on the validation data: at once, or \
            after a short repair (--repair-samples), which takes longer. With a target (--max-macs and the like) shares are \
            suggested that meet it with the least increase of the loss that the curves predict; --allocation-output writes \
            them for prune --allocation. No model is written.

            EXAMPLE
              espalier sensitivity dense.onnx --data fashion-mnist
              espalier sensitivity dense.onnx --data fashion-mnist --granularity channel --max-macs 0.25 \
            --allocation-output shares.json --report report.html
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(name: .customLong("granularity"), help: "What is removed at a time.")
    var granularityName = GranularityName<AnyShare>(.element)

    @Option(
        help: ArgumentHelp("By which measure; prune --help lists them.", valueName: "name"),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String = Magnitude.information.id

    @Option(help: "How a channel's score is made of its weights'; without it as the criterion has it.")
    var aggregation: Reduction?

    @Option(
        help: ArgumentHelp(
            "The shares of a part to remove, separated by commas; without it \(Self.usualSparsities.text).",
            valueName: "share,..."),
        transform: ShareList.belowOne)
    var sparsities = Self.usualSparsities

    @Option(
        help: ArgumentHelp(
            "A layer to leave alone, by name; * fits anything. Repeatable.", valueName: "pattern"))
    var keep: [String] = []

    @Option(
        help: ArgumentHelp(
            "Least share of a layer's channels or weights to keep; without it 0.1 of channels, 0 of weights.",
            valueName: "share"))
    var minimumKept: Double?

    @Option(
        help: ArgumentHelp(
            "At most so many validation samples, drawn by the seed; without it all.", valueName: "n"))
    var samples: Int?

    @Option(help: ArgumentHelp("Training samples that importance is measured on.", valueName: "n"))
    var evidenceSamples: Int = 2000

    @Flag(inversion: .prefixedNo, help: "Take batch norm's statistics anew at each point, as prune does.")
    var recalibration = true

    @Option(
        help: ArgumentHelp("Train each point on so many samples before it is measured.", valueName: "n"))
    var repairSamples: Int = 0

    @OptionGroup var training: TrainingOptions<UsualTraining>

    @OptionGroup var target: TargetOptions

    @Option(
        help: ArgumentHelp("Where the suggested shares go; needs a target.", valueName: "shares.json"),
        completion: .file(extensions: ["json"]))
    var allocationOutput: String?

    @OptionGroup var common: CommonOptions

    private static let usualSparsities = ShareList([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])

    /// Of --repair-samples.
    private static let repairEpochs = 1

    private var repairSchedule: RateScheduleName { RateScheduleName(type: CosineAnnealing.self) }

    private var granularity: Granularity { granularityName.granularity }

    func validate() throws {
        try CriterionNames.check(criterion, of: "--criterion", for: granularity)
        guard sparsities.values.contains(where: { $0 > 0 }) else {
            throw ValidationError("one of --sparsities must be above 0")
        }
        if let minimumKept, !(0..<1).contains(minimumKept) {
            throw ValidationError("--minimum-kept is a share from 0 to below 1")
        }
        if let samples, samples < 1 { throw ValidationError("--samples must be positive") }
        guard evidenceSamples > 0 else { throw ValidationError("--evidence-samples must be positive") }
        guard repairSamples >= 0 else { throw ValidationError("--repair-samples must not be negative") }
        guard repairSamples > 0 || training.arguments.isEmpty else {
            throw ValidationError(
                "--learning-rate, --batch-size and the like say how each point is trained, which needs --repair-samples"
            )
        }
        try training.check(epochs: Self.repairEpochs, schedule: repairSchedule)
        guard allocationOutput == nil || !target.targets.isEmpty else {
            throw ValidationError(
                "--allocation-output needs a target: --sparsity, --max-macs, --max-parameters or --max-bytes")
        }
    }

    func run() throws {
        let recorder = try RunRecorder(
            "sensitivity", common, writing: [allocationOutput],
            reading: [model, EvidenceFile.path(beside: model)], data: data)
        let loaded = try LoadedModel(model)
        common.console.status("reading \(data)")
        let options = try dataOptions.loadOptions(for: data, graph: loaded.graph)
        let (fit, validation) = (
            try data.load(.fit, options: options), try data.load(.validation, options: options)
        )
        var pipeline = SensitivityPipeline(
            request: try request, sparsities: sparsities.values, lane: try Lane(threads: common.threads))
        pipeline.evidenceSamples = evidenceSamples
        pipeline.samples = samples
        pipeline.recalibrates = recalibration
        if repairSamples > 0 {
            pipeline.repair = .init(
                samples: repairSamples,
                recipe: training.recipe(
                    epochs: Self.repairEpochs, schedule: repairSchedule, dataset: fit, common: common))
        }
        pipeline.seed = common.seed
        pipeline.recorded = try EvidenceFile.evidence(
            for: pipeline.request.criterion, of: loaded.graph, beside: model)
        let meter = ProgressMeter(unit: "evaluations", console: common.console)
        meter.begin("measuring")
        defer { meter.finish() }
        let outcome: SensitivityPipeline.Outcome
        do {
            outcome = try pipeline.run(loaded.graph, fit: fit, validation: validation) { done, total in
                meter.update(done, of: total)
                try Interruption.check()
            }
        } catch PruningError.infeasible(let target, let nearest, let hint) {
            throw PruningError.infeasible(
                target: target, nearest: nearest,
                hint: hint + " More can go with larger --sparsities, or a smaller --minimum-kept.")
        }
        meter.finish()
        var record = recorder.record(model: loaded)
        record.data = .init(
            name: "\(data)", fingerprint: fit.fingerprint, trainingSamples: fit.sampleCount,
            validationSamples: validation.sampleCount)
        record.samples = outcome.dense.count
        record.accuracy = outcome.dense.accuracy
        record.loss = outcome.dense.mean
        record.sensitivity = outcome.sensitivity
        record.refusals = outcome.refusals.isEmpty ? nil : outcome.refusals
        record.request = settings
        SensitivityTable.tell(record, on: common.console)
        if let allocationOutput, let allocation = outcome.sensitivity.allocation {
            let document = try LayerAllocation(
                layers: allocation.layers.map { .init(name: $0.name, sparsity: $0.sparsity) },
                granularity: granularity)
            try OutputFile.write(
                String(decoding: try document.json(), as: UTF8.self) + "\n", to: allocationOutput)
            common.console.status("wrote \(allocationOutput)")
            record.outputs = [allocationOutput]
        }
        try common.deliver(record, as: SensitivityDocument(record))
    }

    private var request: PruningRequest {
        get throws {
            // The first and the last layer are looked at like the others: that they matter most is only said.
            PruningRequest(
                granularity, targets: target.targets,
                criterion: try Criteria.criterion(criterion, seed: common.seed),
                minimumKept: minimumKept.map { MinimumKept(count: 1, fraction: $0) },
                keep: keep.map { NamePattern($0) }, prunesFirstAndLast: true, aggregation: aggregation)
        }
    }

    private var settings: [RunRecord.Setting] {
        var settings = [
            RunRecord.Setting("granularity", granularity.rawValue), .init("criterion", criterion),
        ]
        settings += target.targets.map { .init($0.kind, Format.percent($0.value)) }
        return settings
    }
}

/// What `sensitivity --json` prints: the record, and beside it its layers.
private struct SensitivityDocument: Encodable {
    private let record: RunRecord

    init(_ record: RunRecord) { self.record = record }

    private enum CodingKeys: String, CodingKey { case layers }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(record.sensitivity?.layers, forKey: .layers)
    }
}
