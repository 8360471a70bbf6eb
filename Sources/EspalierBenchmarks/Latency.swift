import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors

/// Milliseconds that one sample takes through a network, input already in place.
struct Latency {
    let graph: Graph
    let lane: Lane

    /// Runs for about `seconds` and returns the median.
    func measure(seconds: Double) throws -> Double {
        try lane.run {
            var shapes: [ValueID: Shape] = [:]
            for input in graph.inputs {
                let extents = (graph.values[input]?.type?.dimensions ?? []).map { dimension in
                    if case .fixed(let extent) = dimension { extent } else { 1 }
                }
                shapes[input] = Shape(extents)
            }
            let plan = try InferencePlan(
                graph, inputShapes: shapes, outputs: graph.outputs, threads: lane.threads)
            var random = RandomSource(seed: 1)
            for input in graph.inputs {
                guard let memory = plan.input(input) else { continue }
                for index in memory.indices { memory[index] = Float(random.normal()) }
            }
            for _ in 0..<20 { try plan.run() }
            let clock = ContinuousClock()
            let start = clock.now
            var times: [Double] = []
            while clock.now - start < .seconds(seconds) {
                let before = clock.now
                try plan.run()
                times.append((clock.now - before) / .milliseconds(1))
            }
            return times.sorted()[times.count / 2]
        }
    }
}
