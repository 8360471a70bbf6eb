import EspalierEfficiency
import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors

/// Times a network with zeros at random places against its own dense execution, in alternating rounds: whatever share of the
/// weights is zero, it must not be slower.
struct SparseLatency {
    static let sparsities = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99]

    let graph: Graph
    let lane: Lane
    let costs: KernelCostModel

    /// How many times faster than dense it is with such a share of zeros: the median of the rounds.
    func ratio(sparsity: Double, seconds: Double) throws -> Double {
        let sparse = try pruned(sparsity)
        return try lane.run {
            let inputs = sparse.randomInputs()
            let plans = try [SparsityUse.whereFaster(costs), .never].map { sparsity in
                let plan = try InferencePlan(
                    sparse, inputShapes: inputs.mapValues(\.shape), outputs: sparse.outputs,
                    threads: lane.threads, sparsity: sparsity)
                try plan.run(inputs)
                return plan
            }
            let series = try AlternatingTimer(seconds: seconds).measure(
                plans.map { plan in { try plan.run() } })
            return series[1].ratio(to: series[0]).median
        }
    }

    /// Has zeros where `Tools/bench/models.py` puts them: in all products by weights and all convolutions, but for the first
    /// convolutions and depthwise ones.
    private func pruned(_ sparsity: Double) throws -> Graph {
        var random = RandomSource(seed: 7)
        var patch = Patch(for: graph)
        let layers = try Pruner(graph).groups.layers.filter(Self.takesZeros)
        for weight in Set(layers.map(\.weight)).sorted(by: { graph.name(of: $0) < graph.name(of: $1) }) {
            guard let tensor = graph.constants[weight], tensor.dtype == .float32 else { continue }
            let scalars = tensor.scalars(as: Float.self).map { random.uniform() < sparsity ? 0 : $0 }
            patch.append(.setConstant(weight, Tensor(shape: tensor.shape, scalars: scalars)))
        }
        return try graph.applying(patch)
    }

    private static func takesZeros(_ layer: WeightedLayer) -> Bool {
        // Depthwise kernels have one input channel, and an embedding's rows are looked up: neither sums over channels.
        guard layer.isPrunable, layer.consumerAxis != nil else { return false }
        // Convolutions have kernels' extents behind the channels'.
        return !(layer.isFirst && layer.shape.rank > 2)
    }
}
