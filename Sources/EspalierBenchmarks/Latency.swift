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
            let inputs = graph.randomInputs()
            let plan = try InferencePlan(
                graph, inputShapes: inputs.mapValues(\.shape), outputs: graph.outputs, threads: lane.threads)
            try plan.run(inputs)
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
