import ArgumentParser
import Espalier
import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierRuns
import EspalierTensors
import EspalierTraining
import Foundation

/// Measures how fast networks run, and what is left of what pruning promises.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures how fast models run, against their dense execution and what pruning promises.",
        discussion: """
            The time of one inference with the inputs in place, random ones or the first samples of --data, beside the \
            same network with its zeros computed like all else, in alternating rounds. The theoretical speedup is dense by remaining multiply-accumulates, the realized \
            efficiency the actual speedup by the theoretical one. Of several models the first is the reference: a model \
            with fewer channels is compared with the dense execution of the one it was cut from.

            EXAMPLE
              espalier bench sparse.onnx
              espalier bench dense.onnx slim.onnx sparse.onnx --batch 8 --layers --report bench.html
              espalier bench model.onnx --against onnxruntime --threads 2
              espalier bench model.onnx --precision bfloat16
            """)

    @Argument(
        help: ArgumentHelp("The models; the first is the reference.", valueName: "model.onnx"),
        completion: .onnx)
    var models: [String]

    @Option(
        help: ArgumentHelp(
            "Samples in one inference; without it 1, or as many as a model fixes.", valueName: "n")
    )
    var batch: Int?

    @Option(help: ArgumentHelp("Time to measure each program for, warm-up apart.", valueName: "s"))
    var seconds: Double = 2

    @Option(
        help: ArgumentHelp(
            "What weights, and inputs of dense layers, are rounded to; bf16 is bfloat16.", valueName: "type"))
    var precision = PrecisionName(.float32)

    @OptionGroup var shapeOptions: ShapeOptions

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource?

    @Option(help: "The part of the data.")
    var split = SplitName(.test)

    @OptionGroup var dataOptions: DataOptions

    @Flag(help: "Also show each step of the networks; JSON and reports have them in any case.")
    var layers = false

    @Flag(
        help: "Measure the constants of the cost model anew, which are kept for this machine.")
    var recalibrate = false

    @Option(help: "Also measure the models in another runtime.")
    var against: Peer?

    @Option(
        help: ArgumentHelp(
            "The other runtime's library, such as libonnxruntime.so; without it looked for where pip puts it.",
            valueName: "file"))
    var library: String?

    @OptionGroup var common: CommonOptions

    /// Another runtime.
    enum Peer: String, ExpressibleByArgument, CaseIterable { case onnxruntime }

    func validate() throws {
        guard !models.isEmpty else { throw ValidationError("name a model") }
        guard batch.map({ $0 > 0 }) ?? true else { throw ValidationError("--batch must be positive") }
        guard seconds > 0, seconds <= Self.mostSeconds else {
            throw ValidationError("--seconds must be positive and at most \(Int(Self.mostSeconds))")
        }
        guard library == nil || against != nil else {
            throw ValidationError("--library is the library of --against, which is not given")
        }
    }

    private static let mostSeconds = 3600.0

    func run() throws {
        let recorder = try RunRecorder("bench", common, reading: models + [library], data: data)
        let console = common.console
        let peer = try against.map { _ in try openLibrary() }
        let lane = try Lane(threads: common.threads)
        let costs = try CostConstants.found(lane: lane, recalibrates: recalibrate, console: common.console)
        let loaded = try models.map { try LoadedModel($0) }
        let networks = try lane.run {
            try loaded.map { model in
                console.status("planning \(model.path)")
                return try network(model, threads: lane.threads, costs: costs.model)
            }
        }
        let profiler = wantsLayers ? profiler(lane, costs) : nil
        let meter = ProgressMeter(unit: "rounds", console: console)
        defer { meter.finish() }
        let benchmark = LatencyBenchmark(seconds: seconds, lane: lane, peer: peer, profiler: profiler)
        var current = ""
        let results = try benchmark.run(networks) { network, done, total in
            try Interruption.check()
            if network.path != current {
                current = network.path
                meter.begin("measuring \(current)")
            }
            meter.update(done, of: total)
        }
        meter.finish()
        var record = recorder.record(model: loaded.first)
        record.models = results
        record.ceilings = profiler.map { .init($0.ceilings) }
        BenchTable.tell(record, layers: layers, on: console)
        try common.deliver(record)
    }

    private var wantsLayers: Bool { layers || common.output.json || common.report != nil }

    /// Steps take half as long again as the networks do.
    private func profiler(_ lane: Lane, _ costs: CalibrationStore.Found) -> LayerProfiler {
        LayerProfiler(
            seconds: seconds / 2,
            ceilings: costs.isNew ? costs.model.ceilings : lane.run { MachineCeilings.measured() },
            costs: costs.model)
    }

    private func network(
        _ model: LoadedModel, threads: Int, costs: KernelCostModel
    ) throws -> BenchmarkedNetwork {
        do {
            return try BenchmarkedNetwork(
                path: model.path, graph: model.graph, inputs: try inputs(for: model), threads: threads,
                costs: costs, precision: precision.precision)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure("\(model.path): \(error)")
        }
    }

    private func inputs(for model: LoadedModel) throws -> [String: Tensor] {
        let graph = model.graph
        let shapes = try shapeOptions.inputShapes(of: graph)
        let samples = graph.batchSize(wanted: batch ?? 1)
        if let batch, samples != batch {
            throw CommandFailure(
                "\(model.path): the model is made for \(samples) samples at a time, not \(batch)")
        }
        if let data, data != .random {
            let options = try dataOptions.loadOptions(for: data, graph: graph)
            let dataset = try data.load(split.split, options: options)
            guard dataset.sampleCount >= samples else {
                throw CommandFailure("\(data) has only \(dataset.sampleCount) samples, \(samples) are needed")
            }
            return try InputBinding(graph, dataset).tensors(of: dataset, samples: Array(0..<samples))
        }
        return try ModelInputs.random(
            for: graph, shapes: shapes.merging(openShapes(of: graph, samples: samples)) { given, _ in given },
            samples: samples, seed: common.seed
        ).tensors
    }

    /// Declared shapes with another number of samples than they fix, which the network can do with.
    private func openShapes(of graph: Graph, samples: Int) -> [ValueID: Shape] {
        var shapes: [ValueID: Shape] = [:]
        for id in graph.inputs {
            let declared = graph.values[id]?.type?.dimensions ?? []
            var extents = declared.compactMap { if case .fixed(let extent) = $0 { extent } else { nil } }
            guard batch != nil, !declared.isEmpty, extents.count == declared.count else { continue }
            extents[0] = samples
            shapes[id] = Shape(extents)
        }
        return shapes
    }

    private func openLibrary() throws -> OnnxRuntimeLibrary {
        let paths = library.map { [Self.place(of: $0)] } ?? OnnxRuntimeLibrary.installedPaths()
        guard let path = paths.first else {
            throw CommandFailure(
                "ONNX Runtime is not installed where it is looked for: pip install onnxruntime, or name its library "
                    + "with --library")
        }
        return try OnnxRuntimeLibrary(path: path)
    }

    /// A bare name is looked for where the system keeps libraries, unless the file is here.
    private static func place(of library: String) -> String {
        FileManager.default.fileExists(atPath: library) ? URL(fileURLWithPath: library).path : library
    }
}

/// A precision by its name, or by a short one.
struct PrecisionName: ExpressibleByArgument {
    let precision: Precision

    init(_ precision: Precision) { self.precision = precision }

    init?(argument: String) {
        guard let precision = Precision(rawValue: argument == "bf16" ? "bfloat16" : argument) else {
            return nil
        }
        self.init(precision)
    }

    static var allValueStrings: [String] { Precision.allCases.map(\.rawValue) }
    var defaultValueDescription: String { precision.rawValue }
}
