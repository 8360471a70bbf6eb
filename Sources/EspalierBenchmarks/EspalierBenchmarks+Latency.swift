import EspalierGraphs
import EspalierKernels

extension EspalierBenchmarks {
    /// One sample through whole networks, which must not take longer than in ONNX Runtime, if that is installed.
    static func latencies(
        _ networks: [TimedNetwork], peers: [String: String], _ promises: inout Promises
    ) throws {
        print("\nlatency of one sample, ms; median of \(rounds) alternating rounds")
        for network in networks {
            let graph = try network.graph()
            try network.withFile(of: graph) { path in
                for threads in [1, 2] {
                    let ratio = try latency(network.name, of: graph, path, threads: threads, peers: peers)
                    guard let ratio else { continue }
                    promises.check(ratio, of: "ONNX Runtime", label(network.name, threads: threads))
                }
            }
        }
    }

    /// How many times as fast as ONNX Runtime it was; nil if nothing could be compared.
    private static func latency(
        _ name: String, of graph: Graph, _ path: String, threads: Int, peers: [String: String]
    ) throws -> Double? {
        let lane = try Lane(threads: threads)
        let isCompared = peers["onnxruntime"] != nil
        var own: [Double] = []
        var peer = Series(name: "onnxruntime")
        for _ in 0..<rounds {
            own.append(try Latency(graph: graph, lane: lane).measure(seconds: seconds / 2))
            guard isCompared else { continue }
            peer.add(Peer.measure(["latency", path, "\(threads)", "\(seconds / 2)"], key: "medianMs"))
        }
        line(name, threads: threads, own: own, [peer], digits: 4, higherIsBetter: false)
        guard isCompared else { return nil }
        guard let mine = median(own), let theirs = median(peer.values) else {
            // Nothing is promised of what the peer cannot run, but silence would read as a promise kept.
            print("  not compared: onnxruntime failed")
            return nil
        }
        return theirs / mine
    }
}
