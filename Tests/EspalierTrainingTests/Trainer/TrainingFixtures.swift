import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Foundation

/// Small problems on which training takes milliseconds.
enum TrainingFixtures {
    static let features = 8
    static let classes = 3

    /// A perceptron with one hidden layer.
    static func network(seed: UInt64 = 1, hidden: Int = 16, name: String = "perceptron") throws -> Graph {
        var random = RandomSource(seed: seed)
        func weight(_ shape: Shape) -> Tensor {
            let scale = (2 / Double(shape[1])).squareRoot()
            return Tensor(
                shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal() * scale) })
        }
        var builder = GraphBuilder(name: name)
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(features)]))
        let weight1 = builder.constant("fc1.weight", weight([hidden, features]))
        let bias1 = builder.constant("fc1.bias", Tensor(zeros: [hidden]))
        let weight2 = builder.constant("fc2.weight", weight([classes, hidden]))
        let bias2 = builder.constant("fc2.bias", Tensor(zeros: [classes]))
        let first = builder.node(
            "Gemm", name: "fc1", inputs: [x, weight1, bias1], attributes: ["transB": .int(1)])
        let active = builder.node("Relu", name: "relu", inputs: [first])
        let logits = builder.node(
            "Gemm", name: "fc2", inputs: [active, weight2, bias2], attributes: ["transB": .int(1)])
        return try builder.finish(outputs: [logits])
    }

    /// Points around three centres, as far apart that most can be told.
    static func blobs(_ count: Int, seed: UInt64, labelled: Bool = true) throws -> Dataset {
        var centres = RandomSource(seed: 1000)
        let centre = (0..<classes).map { _ in (0..<features).map { _ in centres.normal() * 1.5 } }
        var random = RandomSource(seed: seed)
        let labels = (0..<count).map { _ in Int32(random.next() % UInt64(classes)) }
        let values = labels.flatMap { label in
            centre[Int(label)].map { Float($0 + random.normal()) }
        }
        return try Dataset(
            name: "blobs",
            inputs: [.init(name: "x", values: Tensor(shape: [count, features], scalars: values))],
            labels: labelled ? .classes(labels, count: classes) : .none)
    }

    static func recipe(epochs: Int = 4) -> TrainingRecipe {
        TrainingRecipe(epochs: epochs, batchSize: 32, schedule: CosineAnnealing(peak: 0.05), seed: 3)
    }

    /// The bits of all parameters, by name.
    static func bits(_ graph: Graph) -> [String: [UInt32]] {
        Dictionary(
            uniqueKeysWithValues: graph.constants.map { id, tensor in
                (graph.name(of: id), tensor.scalars(as: Float.self).map(\.bitPattern))
            })
    }

    /// Runs `body` with the path of a file in a fresh folder.
    static func withTemporaryFile<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.appendingPathComponent("run.npz").path)
    }
}

/// A hook that notes what it is told, and may act.
final class RecordingHook: StepHook {
    let identity = "recording"
    var calls: [String] = []
    var isSettled = true
    var action: (String, TrainingRun) throws -> Void = { _, _ in }
    var counter: Int64 = 0

    private func note(_ call: String, _ run: TrainingRun) throws {
        calls.append(call)
        try action(call, run)
    }

    func trainingWillBegin(_ run: TrainingRun) throws { try note("begin", run) }
    func willUpdate(_ run: TrainingRun) throws { try note("will", run) }
    func didUpdate(_ run: TrainingRun) throws {
        counter += 1
        try note("did", run)
    }
    func epochDidEnd(_ run: TrainingRun) throws { try note("epoch", run) }

    var state: [String: Tensor] { ["counter": Tensor(counter)] }
    func restore(_ state: [String: Tensor]) throws {
        counter = state["counter"]?.scalars(as: Int64.self).first ?? -1
    }
}
