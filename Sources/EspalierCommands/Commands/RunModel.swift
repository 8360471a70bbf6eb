import ArgumentParser
import Espalier
import EspalierArchives
import EspalierExecution
import EspalierReports
import EspalierTensors

/// Runs a model on inputs from a file.
struct RunModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a model on the inputs in a NumPy file.",
        discussion: """
            An .npz archive holds an array for each input, by name; for a model with one input an array 'x', or a \
            single array in an .npz or .npy file, is enough. Values are taken as they are, without preprocessing. \
            The outputs are written to an .npz archive by name. A model made for a fixed number of samples is run \
            repeatedly where there are more.

            EXAMPLE
              espalier run model.onnx --input x.npz -o y.npz
              espalier run model.onnx --input x.npy --value conv1_output -o activations.npz
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The inputs.", valueName: "x.npz"),
        completion: .file(extensions: ["npz", "npy"]))
    var input: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Where the outputs go; without it they are only described.", valueName: "y.npz"),
        completion: .file(extensions: ["npz"]))
    var output: String?

    @Option(
        name: .customLong("value"),
        help: ArgumentHelp(
            "A value inside the network to compute instead of its outputs; may be repeated.",
            valueName: "name"))
    var values: [String] = []

    @Option(help: ArgumentHelp("Samples to run at a time; by default all.", valueName: "n"))
    var batchSize: Int?

    @OptionGroup var compute: ThreadOptions

    @OptionGroup var consoleOptions: ConsoleOptions

    func validate() throws {
        guard batchSize ?? 1 > 0 else { throw ValidationError("--batch-size must be positive") }
    }

    func run() throws {
        let console = consoleOptions.console
        try OutputFile.check([output], areNot: [model, input])
        let graph = try LoadedModel(model).graph
        let inputs = try ModelInputs.file(input, for: graph)
        if !inputs.unused.isEmpty {
            console.status(
                "note: \(input): ignoring \(inputs.unused.joined(separator: ", ")), no input of the model")
        }
        var options = InferenceSession.Options()
        options.threads = compute.threads
        if !values.isEmpty { options.outputs = values }
        let session = try InferenceSession(graph: graph, options: options.forThisMachine())
        let batches = try InputBatches(inputs, for: graph, size: batchSize).batches
        let meter = ProgressMeter(unit: "batches", console: console)
        meter.begin("running")
        var parts: [[String: Tensor]] = []
        let start = ContinuousClock.now
        for batch in batches {
            try Interruption.check()
            parts.append(try session.run(batch))
            meter.update(parts.count, of: batches.count)
        }
        meter.finish()
        let elapsed = ContinuousClock.now - start
        let outputs = try InputBatches.joined(parts)
        let names = values.isEmpty ? graph.outputs.map(graph.name(of:)) : values
        let arrays = names.compactMap { name in outputs[name].map { (name: name, tensor: $0) } }
        if let output { try NpzArchive.write(arrays, to: output) }
        try tell(arrays, elapsed: elapsed, on: console)
    }

    private func tell(
        _ arrays: [(name: String, tensor: Tensor)], elapsed: Duration, on console: Console
    ) throws {
        try console.document(
            Document(
                outputs: arrays.map {
                    .init(name: $0.name, shape: $0.tensor.shape, type: $0.tensor.dtype.rawValue)
                }, output: output, milliseconds: elapsed.inSeconds * 1000))
        var table = Table([
            ("output", .left), ("shape", .right), ("type", .left), ("least", .right), ("mean", .right),
            ("greatest", .right),
        ])
        for (name, tensor) in arrays {
            let scalars = tensor.scalars(as: Double.self)
            let mean = scalars.isEmpty ? Double.nan : scalars.reduce(0, +) / Double(scalars.count)
            table.add(
                name, tensor.shape.description, tensor.dtype.rawValue,
                scalars.min().map { Format.fixed($0, 4) } ?? "", Format.fixed(mean, 4),
                scalars.max().map { Format.fixed($0, 4) } ?? "")
        }
        console.result(table)
        if let output { console.status("wrote \(output) in \(Format.duration(seconds: elapsed.inSeconds))") }
    }

    private struct Document: Encodable {
        struct Output: Encodable {
            let name: String
            let shape: Shape
            let type: String
        }

        let schemaVersion = 1
        let outputs: [Output]
        let output: String?
        let milliseconds: Double
    }
}
