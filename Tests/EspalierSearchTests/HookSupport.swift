import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Looks at a run at every point where hooks are called. Beside another hook it sees what that one found, or left.
final class Witness: StepHook {
    let identity = "witness"
    var onCompute: (TrainingRun) throws -> Void = { _ in }
    var onUpdate: (TrainingRun) throws -> Void = { _ in }
    var onUpdated: (TrainingRun) throws -> Void = { _ in }

    func willCompute(_ run: TrainingRun) throws { try onCompute(run) }
    func willUpdate(_ run: TrainingRun) throws { try onUpdate(run) }
    func didUpdate(_ run: TrainingRun) throws { try onUpdated(run) }
}

/// Networks that train in milliseconds on small images.
enum SmallNetwork: String, CaseIterable, Sendable {
    /// Two hidden layers with biases, of one and a half times the width and of the width.
    case perceptron
    /// Two convolutions with biases and a hidden linear layer.
    case chain
    /// Every convolution goes into a batch norm, and there is a sum past two of them.
    case residual
    /// A depthwise convolution between two others, all with biases.
    case depthwise
    /// Depthwise and pointwise convolutions, each with batch norm.
    case separable

    static let size = 6
    static let classes = 3

    func graph(
        seed: UInt64, width: Int = 8, size: Int = Self.size, classes: Int = Self.classes
    ) throws -> Graph {
        var network = try NetworkBuilder(
            name: rawValue,
            options: ArchitectureOptions(
                channels: 1, height: size, width: size, classCount: classes, seed: seed))
        let x = network.images()
        let last: Feature
        switch self {
        case .perceptron:
            let flat = network.flatten("flatten", x)
            let first = network.activation("relu1", network.linear("fc1", flat, width: width + width / 2))
            last = network.activation("relu2", network.linear("fc2", first, width: width))
        case .chain:
            var feature = try network.convolution("conv1", x, channels: width, kernel: 3, padding: 1)
            feature = try network.maxPooling("pool", network.activation("relu1", feature))
            feature = try network.convolution("conv2", feature, channels: width, kernel: 3, padding: 1)
            feature = network.flatten("flatten", network.activation("relu2", feature))
            last = network.activation("relu3", network.linear("fc1", feature, width: width))
        case .residual:
            let stem = try network.normalizedConvolution("conv1", norm: "bn1", x, channels: width, kernel: 3)
            let trunk = network.activation("relu1", stem)
            var inner = try network.normalizedConvolution(
                "conv2", norm: "bn2", trunk, channels: width, kernel: 3)
            inner = network.activation("relu2", inner)
            let outer = try network.normalizedConvolution(
                "conv3", norm: "bn3", inner, channels: width, kernel: 3)
            let sum = network.activation("relu3", network.sum("add", trunk, outer))
            last = network.globalAveragePooling("pool", sum)
        case .depthwise:
            var feature = try network.convolution("conv1", x, channels: width, kernel: 3, padding: 1)
            feature = network.activation("relu1", feature)
            feature = try network.convolution(
                "depthwise", feature, channels: width, kernel: 3, padding: 1, groups: width)
            feature = network.activation("relu2", feature)
            feature = try network.convolution("pointwise", feature, channels: width, kernel: 1)
            last = network.globalAveragePooling("pool", network.activation("relu3", feature))
        case .separable:
            var feature = try network.normalizedConvolution(
                "conv1", norm: "bn1", x, channels: width, kernel: 3)
            feature = network.activation("relu1", feature)
            feature = try network.normalizedConvolution(
                "depthwise", norm: "bn2", feature, channels: width, kernel: 3, groups: width)
            feature = network.activation("relu2", feature)
            feature = try network.normalizedConvolution(
                "pointwise", norm: "bn3", feature, channels: width, kernel: 1)
            last = network.globalAveragePooling("pool", network.activation("relu3", feature))
        }
        let logits = network.logits("fc", last)
        return try Self.shaken(try network.finish(output: logits), seed: seed)
    }

    /// Biases, scales and shifts away from the 0 and 1 that they begin with.
    private static func shaken(_ graph: Graph, seed: UInt64) throws -> Graph {
        var patch = Patch(for: graph)
        let random = RandomSource(seed: seed).split("shaken")
        for id in graph.parameters {
            guard let tensor = graph.constants[id], tensor.shape.rank == 1 else { continue }
            var stream = random.split(graph.name(of: id))
            let values = tensor.scalars(as: Float.self).map { $0 + Float(0.3 * stream.uniform()) }
            patch.append(.setConstant(id, Tensor(shape: tensor.shape, scalars: values)))
        }
        return try graph.applying(patch)
    }

    /// Images around one image for each class.
    static func samples(_ count: Int, seed: UInt64) throws -> Dataset {
        var centres = RandomSource(seed: 77)
        let images = (0..<classes).map { _ in (0..<(size * size)).map { _ in centres.normal() } }
        var random = RandomSource(seed: seed)
        let labels = (0..<count).map { Int32($0 % classes) }
        let values = labels.flatMap { label in images[Int(label)].map { Float($0 + random.normal()) } }
        return try Dataset(
            name: "images",
            inputs: [.init(name: "x", values: Tensor(shape: [count, 1, size, size], scalars: values))],
            labels: .classes(labels, count: classes))
    }
}

/// All channels may go but the last layer's, which are the classes.
func channelRequest(_ targets: [PruningTarget] = [], minimum: Int = 1) -> PruningRequest {
    PruningRequest(
        .channel, targets: targets, minimumKept: MinimumKept(count: minimum, fraction: 0),
        prunesFirstAndLast: true)
}

/// The largest difference of two networks' logits on a data set, and the largest logit.
func difference(_ left: Graph, _ right: Graph, on samples: Dataset) throws -> Verification {
    func outputs(_ graph: Graph) throws -> [Tensor] {
        let input = try #require(graph.inputs.first)
        let values = try ReferenceRunner.values(of: graph, inputs: [input: samples.x], inDouble: true)
        return graph.outputs.compactMap { values[$0] }
    }
    return try #require(Verification(comparing: try outputs(left), with: try outputs(right)))
}

/// The coupled units of every group that may go, as the hooks see them.
func coupledUnits(
    _ pruner: Pruner, _ request: PruningRequest, _ run: TrainingRun
) throws -> [CoupledUnits] {
    try pruner.openGroups(for: request).map {
        CoupledUnits($0.group, minimum: $0.minimum, graph: run.graph, store: run.store)
    }
}

/// Runs `body` with the path of a file in a fresh folder.
func withTemporaryFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent("run.npz").path)
}
