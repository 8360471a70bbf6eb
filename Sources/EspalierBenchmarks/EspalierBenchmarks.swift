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
        let modes = peers["torch"] == nil ? [] : [("train", "torch"), ("train-compiled", "torch compiled")]
        var own: [Double] = []
        var others = modes.map { Series(name: $1) }
        for _ in 0..<rounds {
            own.append(
                try TrainingThroughput(architecture: architecture, threads: threads).measure(seconds: seconds)
            )
            for (place, mode) in modes.enumerated() {
                others[place].add(
                    Peer.measure([mode.0, architecture, "\(threads)", "\(seconds)"], key: "samplesPerSecond"))
            }
        }
        line(architecture, threads: threads, own: own, others, digits: 0, higherIsBetter: true)
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
        var peer = Series(name: "onnxruntime")
        for _ in 0..<rounds {
            own.append(try Latency(graph: graph, lane: lane).measure(seconds: seconds / 2))
            guard peers["onnxruntime"] != nil else { continue }
            peer.add(Peer.measure(["latency", path, "\(threads)", "\(seconds / 2)"], key: "medianMs"))
        }
        line(architecture, threads: threads, own: own, [peer], digits: 4, higherIsBetter: false)
    }

    /// What one peer was measured to do.
    private struct Series {
        let name: String
        private(set) var values: [Double] = []

        init(name: String) { self.name = name }

        /// Nil is a measurement that failed.
        mutating func add(_ value: Double?) { values += [value].compactMap { $0 } }
    }

    private static func line(
        _ architecture: String, threads: Int, own: [Double], _ peers: [Series], digits: Int,
        higherIsBetter: Bool
    ) {
        func text(_ values: [Double]) -> String {
            let sorted = values.sorted()
            guard let low = sorted.first, let high = sorted.last else { return "not measured" }
            let median = sorted[sorted.count / 2]
            return String(format: "%.\(digits)f (%.\(digits)f to %.\(digits)f)", median, low, high)
        }
        var parts = ["\(architecture), \(threads) thread\(threads > 1 ? "s" : ""): espalier \(text(own))"]
        let mine = own.sorted()[own.count / 2]
        for peer in peers where !peer.values.isEmpty {
            let theirs = peer.values.sorted()[peer.values.count / 2]
            parts.append("\(peer.name) \(text(peer.values))")
            parts.append(String(format: "%.2fx", higherIsBetter ? mine / theirs : theirs / mine))
        }
        print(parts.joined(separator: ", "))
    }
}
