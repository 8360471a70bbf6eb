import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierKernels
import EspalierReports
import EspalierRuns
import EspalierTraining

/// Measures a model's accuracy and loss.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measures a model's accuracy and loss on data.",
        discussion: """
            Samples are prepared as the model's metadata say, which train, finetune, prune and redundancy write; for other \
            models as is usual for the data, unless --scale, --mean, --std or --layout say otherwise: a value becomes \
            (scale * value - mean) / std. With class labels the loss is the cross-entropy, else the mean squared error.

            EXAMPLE
              espalier eval sparse.onnx --data fashion-mnist
              espalier eval model.onnx --data npz:samples.npz --split all --mean 0.13 --std 0.31
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @Option(help: "The part of the data.")
    var split = SplitName(.test)

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Samples to run at a time.", valueName: "n"))
    var batchSize: Int = 250

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard batchSize > 0 else { throw ValidationError("--batch-size must be positive") }
    }

    func run() throws {
        let console = common.console
        let recorder = try RunRecorder("eval", common, reading: [model], data: data)
        let model = try LoadedModel(model)
        let options = try dataOptions.loadOptions(for: data, graph: model.graph)
        console.status("reading \(data)")
        let dataset = try data.load(split.split, options: options)
        let evaluation: LossValue
        do {
            evaluation = try evaluate(model.graph, on: dataset, console: console)
        } catch let error where !(error is ExitCode) {
            throw CommandFailure("\(model.path) on \(dataset.name): \(error)")
        }
        var record = recorder.record(model: model)
        record.data = .init(
            name: dataset.name, fingerprint: dataset.fingerprint, testSamples: dataset.sampleCount)
        record.samples = evaluation.count
        record.accuracy = evaluation.accuracy
        record.loss = evaluation.mean
        try tell(record, dataset: dataset)
    }

    private func evaluate(_ graph: Graph, on dataset: Dataset, console: Console) throws -> LossValue {
        let size = graph.batchSize(wanted: min(batchSize, dataset.sampleCount))
        let evaluator = try Evaluator(
            graph, output: graph.lossOutput(for: dataset, batchSize: size), batchSize: size,
            lane: Lane(threads: common.threads))
        let meter = ProgressMeter(unit: "samples", console: console)
        meter.begin("evaluating")
        defer { meter.finish() }
        return try evaluator.evaluate(dataset) { done in
            try Interruption.check()
            meter.update(done, of: dataset.sampleCount)
        }.value
    }

    private func tell(_ record: RunRecord, dataset: Dataset) throws {
        var sheet = FactSheet()
        sheet.add("data", "\(dataset.name), \(Format.count(dataset.sampleCount)) samples")
        if let accuracy = record.accuracy {
            let error = (accuracy * (1 - accuracy) / Double(max(1, dataset.sampleCount))).squareRoot()
            sheet.add(
                "accuracy",
                "\(Format.percent(accuracy, digits: 2)), standard error \(Format.percent(error, digits: 2))")
        }
        if let loss = record.loss { sheet.add("loss", Format.fixed(loss, 4)) }
        common.console.result(sheet.rendered())
        try common.deliver(record)
    }
}
