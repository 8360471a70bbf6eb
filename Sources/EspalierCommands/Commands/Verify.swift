import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierReports
import EspalierTensors
import EspalierTraining

/// Compares two models' outputs on the same inputs.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares what two models compute on the same inputs.",
        discussion: """
            The inputs are random unless --input or --data name some. Exits with 1 if any output differs by more than \
            the tolerance, which is relative to the largest magnitude in that output of the first model.

            EXAMPLE
              espalier verify masked.onnx slim.onnx
              espalier verify dense.onnx copy.onnx --data fashion-mnist --samples 1000 --tolerance 1e-5
            """)

    @Argument(help: ArgumentHelp("The model to compare with.", valueName: "a.onnx"), completion: .onnx)
    var first: String

    @Argument(help: ArgumentHelp("The model to compare.", valueName: "b.onnx"), completion: .onnx)
    var second: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("Inputs, as for run.", valueName: "x.npz"),
        completion: .file(extensions: ["npz", "npy"]))
    var input: String?

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource?

    @Option(help: "The part of the data.")
    var split = SplitName(.test)

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Samples to compare on, unless --input gives them.", valueName: "n"))
    var samples: Int = 16

    @Option(help: ArgumentHelp("The largest relative difference to accept.", valueName: "share"))
    var tolerance: Double = 1e-4

    @OptionGroup var shapeOptions: ShapeOptions

    @Option(help: ArgumentHelp("Seed of the random samples.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var compute: ThreadOptions

    @OptionGroup(title: "Output") var output: ConsoleOptions

    func validate() throws {
        guard input == nil || data == nil else { throw ValidationError("give --input or --data, not both") }
        guard samples > 0 else { throw ValidationError("--samples must be positive") }
        guard tolerance >= 0 else { throw ValidationError("--tolerance must not be negative") }
    }

    func run() throws {
        let console = output.console
        let (one, other) = (try LoadedModel(first).graph, try LoadedModel(second).graph)
        let inputs = try inputs(for: one)
        let batches = try InputBatches(inputs, for: one, other).batches
        let meter = ProgressMeter(unit: "batches", console: console)
        meter.begin("comparing")
        let comparison: OutputComparison
        do {
            comparison = try OutputComparison(one, other, batches: batches, threads: compute.threads) {
                done in
                try Interruption.check()
                meter.update(done, of: batches.count)
            }
        } catch let ComparisonError.execution(side, error) {
            throw CommandFailure("\(side == .first ? first : second): \(error)")
        }
        meter.finish()
        try tell(comparison, on: console)
        guard comparison.relativeDifference <= tolerance else {
            throw CommandFailure(
                "the models differ: by \(Format.scientific(comparison.relativeDifference)) of the outputs' range, "
                    + "tolerated is \(Format.scientific(tolerance))")
        }
    }

    private func inputs(for graph: Graph) throws -> ModelInputs {
        if let input { return try ModelInputs.file(input, for: graph) }
        if let data, data != .random {
            let dataset = try data.load(
                split.split, options: dataOptions.loadOptions(for: data, graph: graph))
            let samples = Array(0..<min(samples, dataset.sampleCount))
            return ModelInputs(
                tensors: try InputBinding(graph, dataset).tensors(of: dataset, samples: samples))
        }
        return try ModelInputs.random(
            for: graph, shapes: shapeOptions.inputShapes(of: graph), samples: samples, seed: seed)
    }

    private func tell(_ comparison: OutputComparison, on console: Console) throws {
        try console.document(Document(comparison, tolerance: tolerance))
        var table = Table([
            ("output", .left), ("difference", .right), ("range", .right), ("relative", .right),
        ])
        for output in comparison.outputs {
            table.add(
                output.name, Format.scientific(output.maxAbsoluteDifference), Format.fixed(output.range, 4),
                Format.scientific(output.relativeDifference))
        }
        console.result(table)
        if comparison.relativeDifference <= tolerance {
            let samples = comparison.samples == 1 ? "1 sample" : "\(comparison.samples) samples"
            console.result(
                "\nThe models agree on \(samples), within \(Format.scientific(tolerance)) of the range.")
        }
    }

    private struct Document: Encodable {
        struct Output: Encodable {
            let name: String
            let maxAbsoluteDifference: Double
            let range: Double
        }

        let schemaVersion = 1
        let maxAbsoluteDifference: Double
        let relativeDifference: Double
        let outputRange: Double
        let tolerance: Double
        let samples: Int
        let outputs: [Output]

        init(_ comparison: OutputComparison, tolerance: Double) {
            maxAbsoluteDifference = comparison.maxAbsoluteDifference
            relativeDifference = comparison.relativeDifference
            outputRange = comparison.outputRange
            self.tolerance = tolerance
            samples = comparison.samples
            outputs = comparison.outputs.map {
                Output(name: $0.name, maxAbsoluteDifference: $0.maxAbsoluteDifference, range: $0.range)
            }
        }
    }
}

extension CompletionKind {
    /// Model files.
    static var onnx: CompletionKind { .file(extensions: ["onnx"]) }
}
