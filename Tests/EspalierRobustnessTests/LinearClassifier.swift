import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining

/// A linear classifier, and samples that it gets right, with deviations that radii must take into account.
struct LinearClassifier {
    static let size = 12
    static let classes = 4
    static let deviation: Float = 0.25

    let graph: Graph
    let data: Dataset
    let weights: [[Double]]
    let biases: [Double]

    init(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let (size, classes) = (Self.size, Self.classes)
        let weights = (0..<classes).map { _ in (0..<size).map { _ in Float(random.normal()) } }
        let biases = (0..<classes).map { _ in Float(random.normal()) }
        var builder = GraphBuilder(name: "linear")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(size)]))
        let weight = builder.constant(
            "w", Tensor(shape: [classes, size], scalars: weights.flatMap { $0 }))
        let bias = builder.constant("b", Tensor(shape: [classes], scalars: biases))
        let output = builder.node(
            "Gemm", name: "fc", inputs: [x, weight, bias], attributes: ["transB": .int(1)])
        graph = try builder.finish(outputs: [output])
        let values = (0..<40).map { _ in (0..<size).map { _ in Float(random.normal()) } }
        let labels = values.map { sample -> Int32 in
            let outputs = (0..<classes).map { row in
                zip(weights[row], sample).reduce(biases[row]) { $0 + $1.0 * $1.1 }
            }
            return Int32(outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0)
        }
        data = try Dataset(
            name: "points",
            inputs: [
                .init(name: "x", values: Tensor(shape: [40, size], scalars: values.flatMap { $0 }))
            ], labels: .classes(labels, count: classes),
            preprocessing: Preprocessing(standardDeviation: [Self.deviation]))
        self.weights = weights.map { $0.map { Double($0) } }
        self.biases = biases.map { Double($0) }
    }

    /// The distance of a sample from the nearest boundary, in units of radii: exact for a linear classifier.
    func radius(_ sample: Int, _ norm: VectorNorm) -> Double {
        guard case .classes(let labels, _) = data.labels else { return 0 }
        let size = Self.size
        let values = data.x.scalars(as: Double.self)[(sample * size)..<((sample + 1) * size)]
        let right = Int(labels[sample])
        return (0..<Self.classes).filter { $0 != right }.map { other in
            let difference = zip(weights[right], weights[other]).map { $0 - $1 }
            let margin = zip(difference, values).reduce(biases[right] - biases[other]) {
                $0 + $1.0 * $1.1
            }
            let dual =
                norm == .euclidean
                ? difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
                : difference.reduce(0) { $0 + abs($1) }
            return margin / dual * Double(Self.deviation)
        }.min() ?? 0
    }

    func network(_ range: ClosedRange<Double> = -1000...1000) throws -> AttackedNetwork {
        try AttackedNetwork(
            graph, dataset: data, units: InputUnits(data, range: range), lane: Lane(threads: 1))
    }
}
