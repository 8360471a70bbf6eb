import EspalierKernels
import Foundation

extension EspalierBenchmarks {
    /// Networks with zeros beside their own dense execution, which they must not be slower than.
    static func zeros(_ networks: [TimedNetwork], _ promises: inout Promises) throws {
        let percents = SparseLatency.sparsities.map(percent)
        print("\ntimes faster than dense with zeros at random places: \(percents.joined(separator: ", "))")
        for threads in [1, 2] {
            let lane = try Lane(threads: threads)
            let costs = try lane.run { try KernelCalibration.measured() } ?? .typical(threads: threads)
            for network in networks {
                let latency = SparseLatency(graph: try network.graph(), lane: lane, costs: costs)
                try zeros(latency, label(network.name, threads: threads), &promises)
            }
        }
    }

    /// One share of zeros after the other: of a large network, all variants together would not fit into memory.
    private static func zeros(
        _ latency: SparseLatency, _ label: String, _ promises: inout Promises
    ) throws {
        var ratios: [String] = []
        for sparsity in SparseLatency.sparsities {
            let ratio = try latency.ratio(sparsity: sparsity, seconds: seconds / 4)
            promises.check(ratio, of: "dense", "\(label), \(percent(sparsity)) zeros")
            ratios.append(String(format: "%.2f", ratio))
        }
        print("\(label): \(ratios.joined(separator: ", "))")
    }

    private static func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }
}
