import EspalierEfficiency
import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors

/// Times single layers with weights removed in different patterns beside the same layer with all of them, on one thread.
struct FormatLatency {
    struct Layer: Sendable {
        let name: String
        /// Filters, channels, and for convolutions the kernel's extents.
        let weights: Shape
        let input: Shape
    }

    static let layersOfAllKinds = [
        Layer(name: "1x1, 256 to 1024, 14x14", weights: [1024, 256, 1, 1], input: [1, 256, 14, 14]),
        Layer(name: "3x3, 128, 28x28", weights: [128, 128, 3, 3], input: [1, 128, 28, 28]),
        Layer(name: "3x3, 512, 7x7", weights: [512, 512, 3, 3], input: [1, 512, 7, 7]),
        Layer(name: "3072 x 768, 128 rows", weights: [3072, 768], input: [128, 768]),
        Layer(name: "3072 x 768, 8 rows", weights: [3072, 768], input: [8, 768]),
        Layer(name: "3072 x 768, 1 row", weights: [3072, 768], input: [1, 768]),
    ]

    /// 1x1 and 3x3 convolutions of ResNet-50 and MobileNetV1, and products of BERT-base.
    static let layersOfNetworks: [Layer] = {
        let pointwise = [
            (64, 256, 56), (256, 64, 56), (128, 512, 28), (512, 128, 28), (256, 1024, 14), (1024, 256, 14),
            (512, 2048, 7), (2048, 512, 7), (64, 128, 56), (256, 256, 28), (512, 512, 14), (1024, 1024, 7),
        ]
        let spatial = [(64, 56), (128, 28), (256, 14), (512, 7)]
        let products = [(768, 768), (3072, 768), (768, 3072)]
        var layers = pointwise.map { inputs, outputs, extent in
            Layer(
                name: "1x1, \(inputs) to \(outputs), \(extent)x\(extent)", weights: [outputs, inputs, 1, 1],
                input: [1, inputs, extent, extent])
        }
        layers += spatial.map { channels, extent in
            Layer(
                name: "3x3, \(channels), \(extent)x\(extent)", weights: [channels, channels, 3, 3],
                input: [1, channels, extent, extent])
        }
        layers += products.map { outputs, inputs in
            Layer(
                name: "\(outputs) x \(inputs), 128 rows", weights: [outputs, inputs], input: [128, inputs])
        }
        return layers
    }()

    /// Which weights stay.
    enum Pattern: String, CaseIterable {
        case elements = "elements"
        case nOfM = "N:M"
        case blocks1x4 = "1x4"
        case blocks4x1 = "4x1"
        case blocks4x4 = "4x4"
        case blocks16x1 = "16x1"
        /// Whole outputs, of which none is computed.
        case channels = "channels"
        /// The same, to the nearest multiple of what registers hold.
        case roundedChannels = "channels by 16"
        /// Elements, in a plain loop over compressed sparse rows.
        case compressedRows = "CSR"

        /// Outputs by inputs that stay or go together; nil if that is not what the pattern says.
        var block: (outputs: Int, inputs: Int)? {
            switch self {
            case .elements, .compressedRows: (1, 1)
            case .blocks1x4: (1, 4)
            case .blocks4x1: (4, 1)
            case .blocks4x4: (4, 4)
            case .blocks16x1: (16, 1)
            case .nOfM, .channels, .roundedChannels: nil
            }
        }

        /// Rather than a smaller matrix.
        var leavesZeros: Bool { self != .channels && self != .roundedChannels }
    }

    static let sparsities = [0.5, 0.75, 0.8, 0.9, 0.95]

    let lane: Lane
    /// Of each layer and pattern.
    let seconds: Double

    /// How many times faster than with all weights, and that times the share of weights that is left: the realized efficiency.
    struct Gain {
        let speedup: Double
        let efficiency: Double
    }

    /// Nil where the pattern has no such sparsity, or no kernel.
    func gain(_ layer: Layer, _ pattern: Pattern, sparsity: Double) throws -> Gain? {
        var random = RandomSource(seed: 1)
        let dense = Tensor(
            shape: layer.weights, scalars: (0..<layer.weights.count).map { _ in Float(random.normal()) })
        guard let weights = pruned(dense, pattern, sparsity, &random) else { return nil }
        return try lane.run {
            let reference = try plan(layer, dense, .never)
            let own: () throws -> Void
            if pattern == .compressedRows {
                // As a product with the input's patches, which are not counted.
                let rows = CompressedRows(weights)
                let samples = layer.input.count / layer.weights[1]
                let input = [Float](repeating: 1, count: rows.columns * samples)
                var output = [Float](repeating: 0, count: weights.shape[0] * samples)
                own = { rows.multiply(input, into: &output, samples: samples) }
            } else {
                let plan = try plan(layer, weights, pattern.leavesZeros ? .always : .never)
                own = { try plan.run() }
            }
            let series = try AlternatingTimer(seconds: seconds).measure([own, { try reference.run() }])
            let speedup = series[1].ratio(to: series[0]).median
            let left = Double(weights.nonzeroCount) / Double(dense.count)
            return Gain(speedup: speedup, efficiency: speedup * left)
        }
    }

    private func plan(_ layer: Layer, _ weights: Tensor, _ sparsity: SparsityUse) throws -> InferencePlan {
        var builder = GraphBuilder(name: "layer")
        let type = ValueType(dtype: .float32, dimensions: layer.input.extents.map { .fixed($0) })
        let input = builder.input("x", type: type)
        let weight = builder.constant("w", weights)
        let output = builder.value("y")
        if weights.shape.rank == 4 {
            let padding = Array(repeating: Int64(weights.shape[2] / 2), count: 4)
            builder.add(
                "Conv", inputs: [input, weight], outputs: [output], attributes: ["pads": .ints(padding)])
        } else {
            builder.add("Gemm", inputs: [input, weight], outputs: [output], attributes: ["transB": .int(1)])
        }
        let graph = try builder.finish(outputs: [output])
        let plan = try InferencePlan(
            graph, inputShapes: [input: layer.input], outputs: [output], threads: lane.threads,
            sparsity: sparsity)
        var random = RandomSource(seed: 2)
        if let memory = plan.input(input) {
            for index in memory.indices { memory[index] = Float(random.normal()) }
        }
        return plan
    }

    private func pruned(
        _ weights: Tensor, _ pattern: Pattern, _ sparsity: Double, _ random: inout RandomSource
    ) -> Tensor? {
        let (rows, columns) = (weights.shape[0], weights.count / weights.shape[0])
        if !pattern.leavesZeros {
            let unit = pattern == .roundedChannels ? 16 : 1
            let kept = max(unit, unit * Int((Double(rows) * (1 - sparsity) / Double(unit)).rounded()))
            return Tensor(
                shape: Shape([kept] + weights.shape.extents.dropFirst()),
                scalars: Array(weights.scalars(as: Float.self).prefix(kept * columns)))
        }
        var scalars = weights.scalars(as: Float.self)
        let taps = columns / weights.shape[1]
        if pattern == .nOfM {
            // Of four inputs of one output and tap.
            guard sparsity == 0.5 || sparsity == 0.75 else { return nil }
            let removed = Int(4 * sparsity)
            for row in 0..<rows {
                for first in stride(from: 0, to: weights.shape[1], by: 4) {
                    for tap in 0..<taps {
                        for place in random.permutation(of: 4).prefix(removed) {
                            scalars[row * columns + (first + place) * taps + tap] = 0
                        }
                    }
                }
            }
            return Tensor(shape: weights.shape, scalars: scalars)
        }
        guard let block = pattern.block else { return nil }
        for firstRow in stride(from: 0, to: rows, by: block.outputs) {
            for firstInput in stride(from: 0, to: weights.shape[1], by: block.inputs) {
                for tap in 0..<taps where random.uniform() < sparsity {
                    for row in firstRow..<firstRow + block.outputs {
                        for input in firstInput..<firstInput + block.inputs {
                            scalars[row * columns + input * taps + tap] = 0
                        }
                    }
                }
            }
        }
        return Tensor(shape: weights.shape, scalars: scalars)
    }
}
