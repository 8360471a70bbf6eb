import EspalierGraphs
import EspalierTensors
import EspalierTraining

/// A reflection times 2 (Householder), then a product with a random matrix: the product of both norms is attained in every direction.
struct ReflectedClassifier {
    static let size = 8
    static let classes = 3
    private static let samples = 30

    let graph: Graph
    /// Labelled as the network has it.
    let data: Dataset

    init(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let (size, classes, samples) = (Self.size, Self.classes, Self.samples)
        let axis = (0..<size).map { _ in random.normal() }
        let length = axis.reduce(0) { $0 + $1 * $1 }
        let reflection = (0..<size).map { row in
            (0..<size).map { column in
                Float(2 * ((row == column ? 1 : 0) - 2 * axis[row] * axis[column] / length))
            }
        }
        let rows = (0..<classes).map { _ in (0..<size).map { _ in Float(random.normal()) } }
        var builder = GraphBuilder(name: "reflected")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(size)]))
        func product(_ input: ValueID, _ name: String, _ matrix: [[Float]]) -> ValueID {
            let weight = builder.constant(
                "\(name).weight", Tensor(shape: [matrix.count, size], scalars: matrix.flatMap { $0 }))
            return builder.node("Gemm", name: name, inputs: [input, weight], attributes: ["transB": .int(1)])
        }
        let hidden = product(x, "reflection", reflection)
        let output = product(hidden, "rows", rows)
        graph = try builder.finish(outputs: [output])
        let values = (0..<samples).map { _ in (0..<size).map { _ in Float(random.normal()) } }
        func applied(_ matrix: [[Float]], to vector: [Float]) -> [Float] {
            matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        let labels = values.map { sample -> Int32 in
            let outputs = applied(rows, to: applied(reflection, to: sample))
            return Int32(outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0)
        }
        data = try Dataset(
            name: "points",
            inputs: [
                .init(name: "x", values: Tensor(shape: [samples, size], scalars: values.flatMap { $0 }))
            ],
            labels: .classes(labels, count: classes))
    }
}
