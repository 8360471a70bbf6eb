import ArgumentParser
import Espalier
import EspalierKernels
import EspalierRedundancy
import EspalierRuns
import EspalierTraining

/// Shows which units of a model stand for each other, and what random removal does to them.
struct Redundancy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Finds units that stand for each other; predicts and measures what random removal loses.",
        discussion: """
            Units of a layer whose activations correlate (from --tau on, either sign) form a functional group. A group \
            of m units fails with probability q^m if each unit is removed with probability q. Units are then removed at \
            random, many times over, and a group counts as lost when its mean activation on held-out data (--split) \
            can no longer be told linearly from the layer's surviving units (R^2 below tau^2).

            --merge keeps one unit of each group, the one that tells the others best. Each other unit is fitted by it, as \
            slope * representative + intercept, for each layer that reads it; slopes go into weights, intercepts into biases, \
            and the unit is cut out. Constant units leave their constant. Accuracy is shown beside that of removing the same \
            units, and as many of each layer by magnitude, with no repair, and no new batch norm statistics, in any.

            EXAMPLE
              espalier redundancy dense.onnx --data digits
              espalier redundancy dense.onnx --data digits --tau 0.8 --report r.html
              espalier redundancy dense.onnx --data digits --tau 0.9 --trials 0 --merge -o merged.onnx
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @Option(help: "The part of the data that is held out: for R^2 and accuracy. Groups are found on fit.")
    var split = SplitName(.test)

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("The correlation from which units do the same.", valueName: "correlation"))
    var tau: Double = 0.9

    @Option(help: ArgumentHelp("The removal rate that the predictions are for.", valueName: "probability"))
    var q: Double = 0.5

    @Option(
        help: ArgumentHelp(
            "The removal rates to measure, separated by commas; without it \(Self.usualRates.text).",
            valueName: "q,..."),
        transform: ShareList.upToOne)
    var rates = Self.usualRates

    @Option(help: ArgumentHelp("Random removals at each rate; 0 to predict only.", valueName: "n"))
    var trials: Int = 10

    @Option(
        help: ArgumentHelp(
            "With that probability no group is to fail: the largest q for it is told.",
            valueName: "probability"))
    var reliability: Double = 0.99

    @Option(help: ArgumentHelp("Samples that groups are found on.", valueName: "n"))
    var evidenceSamples: Int = 2000

    @Flag(help: "Fold redundant units into one of each group, and write the smaller model to --output.")
    var merge = false

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The model to write with --merge.", valueName: "model.onnx"),
        completion: .onnx)
    var output: String?

    @OptionGroup var common: CommonOptions

    private static let usualRates = ShareList([0.1, 0.3, 0.5, 0.7, 0.9])

    func validate() throws {
        for (name, value) in [("tau", tau), ("q", q), ("reliability", reliability)] {
            guard (0...1).contains(value) else {
                throw ValidationError("--\(name) must be between 0 and 1, not \(value)")
            }
        }
        guard (0...100_000).contains(trials) else {
            throw ValidationError("--trials must be between 0 and 100000, not \(trials)")
        }
        guard evidenceSamples > 1 else { throw ValidationError("--evidence-samples must be at least 2") }
        guard merge == (output != nil) else {
            throw ValidationError(
                merge ? "--merge writes a model: give --output" : "only --merge writes a model to --output")
        }
    }

    func run() throws {
        let recorder = try RunRecorder("redundancy", common, writing: [output], reading: [model], data: data)
        let loaded = try LoadedModel(model)
        common.console.status("reading \(data)")
        let options = try dataOptions.loadOptions(for: data, graph: loaded.graph)
        let (fit, heldOut) = (
            try data.load(.fit, options: options), try data.load(split.split, options: options)
        )
        var pipeline = RedundancyPipeline(lane: try Lane(threads: common.threads))
        pipeline.tau = tau
        pipeline.rate = q
        pipeline.rates = rates.values
        pipeline.trials = trials
        pipeline.reliability = reliability
        pipeline.evidenceSamples = evidenceSamples
        pipeline.seed = common.seed
        pipeline.merges = merge
        let meter = ProgressMeter(unit: "removals", console: common.console)
        meter.begin("measuring")
        let outcome = try pipeline.run(loaded.graph, dataset: fit, heldOut: heldOut) { done, total in
            meter.update(done, of: total)
            try Interruption.check()
        }
        var record = recorder.record(model: loaded)
        record.data = .init(
            name: fit.name, fingerprint: fit.fingerprint, trainingSamples: outcome.sampleCount,
            testSamples: heldOut.sampleCount)
        record.samples = heldOut.sampleCount
        record.accuracy = outcome.accuracy
        record.redundancy = outcome.redundancy
        record.refusals = outcome.refusals.isEmpty ? nil : outcome.refusals
        record.request = [.init("tau", "\(tau)"), .init("q", "\(q)"), .init("trials", "\(trials)")]
        if let merging = outcome.merging, let output {
            try write(merging, to: output, fit: fit, into: &record)
        }
        RedundancyTable.tell(record, on: common.console)
        try common.deliver(record, as: RedundancyDocument(record))
    }
}

/// What `redundancy --json` prints: the record, and beside it its groups, what was measured and what was merged.
private struct RedundancyDocument: Encodable {
    private let record: RunRecord

    init(_ record: RunRecord) { self.record = record }

    private enum CodingKeys: String, CodingKey {
        case groups, measured, merging
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(record.redundancy?.groups, forKey: .groups)
        try container.encodeIfPresent(record.redundancy?.measured, forKey: .measured)
        try container.encodeIfPresent(record.redundancy?.merging, forKey: .merging)
    }
}
