import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierTraining
import Foundation

/// Times training and inference beside PyTorch and ONNX Runtime, alternately, and prints medians and ratios.
///
/// Never a test: the machine decides. Give architectures as arguments to time only those.
@main
enum EspalierBenchmarks {
    private static let rounds = 3
    private static let seconds = 2.0

    static func main() throws {
        let chosen = CommandLine.arguments.dropFirst()
        let architectures = chosen.isEmpty ? ["lenet-300-100", "lenet-5", "resnet-8"] : Array(chosen)
        let peers = Peer.installed()
        print("oneDNN \(DNNLibrary.version), \(DNNLibrary.instructionSet)")
        for name in ["torch", "onnxruntime"] { print("\(name): \(peers[name] ?? "not installed")") }
        print(
            "\ntraining, samples/s at batch 64 (forward, backward, SGD step); median of \(rounds) alternating rounds"
        )
        for architecture in architectures {
            for threads in [1, 2] { try training(architecture, threads: threads, peers: peers) }
        }
        print("\nlatency of one sample, ms; median of \(rounds) alternating rounds")
        for architecture in architectures {
            for threads in [1, 2] { try latency(architecture, threads: threads, peers: peers) }
        }
    }

    private static func training(_ architecture: String, threads: Int, peers: [String: String]) throws {
        var own: [Double] = []
        var eager: [Double] = []
        for _ in 0..<rounds {
            own.append(
                try TrainingThroughput(architecture: architecture, threads: threads).measure(seconds: seconds)
            )
            guard peers["torch"] != nil else { continue }
            eager.append(
                contentsOf: [
                    Peer.measure(
                        ["train", architecture, "\(threads)", "\(seconds)"], key: "samplesPerSecond")
                ].compactMap { $0 })
        }
        line(
            architecture, threads: threads, own: own, peer: eager, name: "torch", digits: 0,
            higherIsBetter: true)
    }

    private static func latency(_ architecture: String, threads: Int, peers: [String: String]) throws {
        let graph = try TrainingThroughput.network(architecture)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "espalier-\(architecture).onnx"
        ).path
        try ONNXModel.write(graph, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let lane = try Lane(threads: threads)
        var own: [Double] = []
        var peer: [Double] = []
        for _ in 0..<rounds {
            own.append(try Latency(graph: graph, lane: lane).measure(seconds: seconds / 2))
            guard peers["onnxruntime"] != nil else { continue }
            peer.append(
                contentsOf: [
                    Peer.measure(["latency", path, "\(threads)", "\(seconds / 2)"], key: "medianMs")
                ]
                .compactMap { $0 })
        }
        line(
            architecture, threads: threads, own: own, peer: peer, name: "onnxruntime", digits: 4,
            higherIsBetter: false)
    }

    private static func line(
        _ architecture: String, threads: Int, own: [Double], peer: [Double], name: String, digits: Int,
        higherIsBetter: Bool
    ) {
        func text(_ values: [Double]) -> String {
            let sorted = values.sorted()
            guard let low = sorted.first, let high = sorted.last else { return "not measured" }
            let median = sorted[sorted.count / 2]
            return String(format: "%.\(digits)f (%.\(digits)f to %.\(digits)f)", median, low, high)
        }
        var parts = ["\(architecture), \(threads) thread\(threads > 1 ? "s" : ""): espalier \(text(own))"]
        if !peer.isEmpty {
            let mine = own.sorted()[own.count / 2]
            let theirs = peer.sorted()[peer.count / 2]
            parts.append("\(name) \(text(peer))")
            parts.append(String(format: "%.2fx", higherIsBetter ? mine / theirs : theirs / mine))
        }
        print(parts.joined(separator: ", "))
    }
}
