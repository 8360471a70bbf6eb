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
    /// Less than that is no noise any more.
    static let leastRatio = 0.95

    let graph: Graph
    let lane: Lane
    let costs: KernelCostModel

    /// How many times faster than dense it is with such a share of zeros: the median of the rounds.
    func ratio(sparsity: Double, seconds: Double) throws -> Double {
        let sparse = try pruned(sparsity)
        return try lane.run {
            var shapes: [ValueID: Shape] = [:]
            for input in sparse.inputs {
                let extents = (sparse.values[input]?.type?.dimensions ?? []).map { dimension in
                    if case .fixed(let extent) = dimension { extent } else { 1 }
                }
                shapes[input] = Shape(extents)
            }
            let plans = try [SparsityUse.whereFaster(costs), .never].map { sparsity in
                let plan = try InferencePlan(
                    sparse, inputShapes: shapes, outputs: sparse.outputs, threads: lane.threads,
                    sparsity: sparsity)
                var random = RandomSource(seed: 1)
                for input in sparse.inputs {
                    guard let memory = plan.input(input) else { continue }
                    for index in memory.indices { memory[index] = Float(random.normal()) }
                }
                return plan
            }
            let series = try AlternatingTimer(seconds: seconds).measure(
                plans.map { plan in { try plan.run() } })
            return series[1].ratio(to: series[0]).median
        }
    }

    /// Of every convolution and product but the first, depthwise ones excepted.
    private func pruned(_ sparsity: Double) throws -> Graph {
        var random = RandomSource(seed: 7)
        var patch = Patch(for: graph)
        let layers = try Pruner(graph).groups.layers.filter { !$0.isFirst }
        for weight in Set(layers.map(\.weight)).sorted(by: { graph.name(of: $0) < graph.name(of: $1) }) {
            guard let tensor = graph.constants[weight], tensor.shape[1] > 1 else { continue }
            let scalars = tensor.scalars(as: Float.self).map { random.uniform() < sparsity ? 0 : $0 }
            patch.append(.setConstant(weight, Tensor(shape: tensor.shape, scalars: scalars)))
        }
        return try graph.applying(patch)
    }
}
