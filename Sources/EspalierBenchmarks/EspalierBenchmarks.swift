import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierPruning
import EspalierRobustness
import EspalierTraining
import Foundation

/// Times training and inference beside PyTorch and ONNX Runtime, alternately, and prints medians and ratios.
///
/// Never a test: the machine decides. Give architectures as arguments to time only those, ONNX files (see
/// `Tools/bench/models.py`), of which the latency is measured, `zeros` for what leaving out zeros gains, `formats` for what
/// patterns of zeros do to single layers, `tickets` for the small steps of lottery tickets, or `certificates` for bounds of margins.
@main
enum EspalierBenchmarks {
    private static let rounds = 3
    private static let seconds = 2.0
    private static let defaults = ["lenet-300-100", "lenet-5", "resnet-8"]
    private static let alsoSparse = ["resnet-20", "mobilenet-tiny", "tiny-cnn"]

    static func main() throws {
        let chosen = CommandLine.arguments.dropFirst()
        if Array(chosen) == ["zeros"] { return try sparsity(defaults + alsoSparse) }
        if Array(chosen) == ["formats"] { return try formats() }
        if Array(chosen) == ["tickets"] { return try tickets(peers: Peer.installed()) }
        if Array(chosen) == ["certificates"] { return try certificates() }
        let models = chosen.filter { $0.hasSuffix(".onnx") }
        let named = chosen.filter { !$0.hasSuffix(".onnx") }
        let architectures = chosen.isEmpty ? defaults : Array(named)
        for name in architectures where Architectures.named(name) == nil {
            FileHandle.standardError.write(
                Data("neither an architecture nor an ONNX file: \(name)\n".utf8))
            exit(64)
        }
        let peers = Peer.installed()
        print("oneDNN \(DNNLibrary.version), \(DNNLibrary.instructionSet)")
        for name in ["torch", "onnxruntime"] { print("\(name): \(peers[name] ?? "not installed")") }
        if !architectures.isEmpty { try measure(architectures, peers: peers) }
        print("\nlatency of one sample, ms; median of \(rounds) alternating rounds")
        for architecture in architectures {
            let graph = try TrainingThroughput.network(architecture)
            let path = FileManager.default.temporaryDirectory.appendingPathComponent(
                "espalier-\(architecture).onnx"
            ).path
            try ONNXModel.write(graph, to: path)
            defer { try? FileManager.default.removeItem(atPath: path) }
            for threads in [1, 2] {
                try latency(architecture, of: graph, path, threads: threads, peers: peers)
            }
        }
        for path in models {
            let graph = try ONNXModel.load(from: path)
            for threads in [1, 2] { try latency(path, of: graph, path, threads: threads, peers: peers) }
        }
        if chosen.isEmpty {
            try certificates()
            try tickets(peers: peers)
            try sparsity(defaults + alsoSparse)
        }
    }

    /// Trainings of lenet-300-100 as lottery tickets take them, alone and two side by side. PyTorch trains dense networks: a mask
    /// saves it nothing.
    private static func tickets(peers: [String: String]) throws {
        print(
            "\ntraining of tickets, steps/s at batch 60 (forward, backward, Adam step); median of \(rounds) alternating rounds"
        )
        for trainings in [1, 2] {
            let side = trainings == 1 ? "torch" : "torch, two processes"
            var modes = [("ticket", "\(side), fused Adam"), ("ticket-default", "\(side), default Adam")]
            if trainings > 1 {
                modes.append(("ticket-threads", "torch, one on two threads, fused Adam"))
                modes.append(("ticket-threads-default", "torch, one on two threads, default Adam"))
            }
            let shares = [1, 0.29, 0.2, 0.05]
            var own = shares.map { _ in [Double]() }
            var others = modes.map { Series(name: $0.1) }
            for _ in 0..<rounds {
                for (place, share) in shares.enumerated() {
                    let throughput = TicketThroughput(
                        architecture: "lenet-300-100", trainings: trainings, remaining: share)
                    own[place].append(try throughput.measure(seconds: seconds))
                }
                guard peers["torch"] != nil else { continue }
                for (place, mode) in modes.enumerated() {
                    others[place].add(
                        Peer.measure(
                            [mode.0, "lenet-300-100", "\(trainings)", "\(seconds)"], key: "stepsPerSecond"))
                }
            }
            for (place, share) in shares.enumerated() {
                let left = String(format: "%.0f %% of the weights", 100 * share)
                line(left, threads: trainings, own: own[place], others, digits: 0, higherIsBetter: true)
            }
        }
    }

    /// Certified margins beside those of auto_LiRPA, whose version 0.3 cannot search slopes behind max pooling.
    private static func certificates() throws {
        let peers = Peer.installedBounds()
        let version = peers.map { "auto_LiRPA \($0)" } ?? "auto_LiRPA: not installed"
        print(
            "\ncertified margins of test images of Fashion-MNIST, one thread, images/s; \(version)"
        )
        let cases: [(String, radius: Double, images: Int, RelaxationCertifier.Method, String, batch: Int)] = [
            ("lenet-5", 1, 1000, .crown, "CROWN", 10), ("lenet-300-100", 2, 1000, .crown, "CROWN", 100),
            ("lenet-300-100", 2, 200, .optimizedCrown(steps: 20), "CROWN-Optimized", 100),
        ]
        for (architecture, radius, images, method, peerMethod, batch) in cases {
            let job = try CertificateThroughput(architecture, images: images, radius: radius / 255)
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
                "espalier-bounds-\(ProcessInfo.processInfo.processIdentifier)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try ONNXModel.write(job.graph, to: folder.appendingPathComponent("model.onnx").path)
            try job.write(to: folder)
            let own = try job.measure(method)
            let rate = Double(images) / own.seconds
            let proven = own.margins.count { $0 > 0 }
            var text = String(format: "%.1f, %d certified", rate, proven)
            if peers != nil,
                let other = Peer.bounds(architecture, folder, radius: job.radius, peerMethod, batch: batch)
            {
                let gaps = zip(own.margins, other.margins).map { $0 - $1 }.sorted()
                let scale = other.margins.map(\.magnitude).sorted()[images / 2]
                text += String(
                    format:
                        "; auto_LiRPA %.1f (%.2fx), %d certified; margins higher by %.4f (median; %.4f to %.4f) of %.2f",
                    Double(images) / other.seconds, other.seconds / own.seconds,
                    other.margins.count { $0 > 0 },
                    gaps[images / 2], gaps[0], gaps[images - 1], scale)
            }
            print("\(architecture), \(images) images, \(Int(radius))/255, \(method.name): \(text)")
        }
    }

    /// A Markdown table of speedups and realized efficiencies.
    private static func formats() throws {
        let percents = FormatLatency.sparsities.map { String(format: " %.0f %% |", 100 * $0) }.joined()
        print(
            "| layer, weights removed as |\(percents)\n|---|\(percents.map { $0 == "|" ? "---|" : "" }.joined())"
        )
        let latency = FormatLatency(lane: try Lane(threads: 1), seconds: seconds / 4)
        for layer in FormatLatency.layers {
            for pattern in FormatLatency.Pattern.allCases {
                let cells = try FormatLatency.sparsities.map { sparsity in
                    guard let speedup = try latency.speedup(layer, pattern, sparsity: sparsity) else {
                        return " |"
                    }
                    return String(format: " %.2fx, %.2f |", speedup, speedup * (1 - sparsity))
                }
                print("| \(layer.name), \(pattern.rawValue) |\(cells.joined())")
            }
        }
    }

    /// Networks with zeros beside their own dense execution.
    private static func sparsity(_ architectures: [String]) throws {
        let percents = SparseLatency.sparsities.map { String(format: "%.0f %%", 100 * $0) }
        print("\ntimes faster than dense with zeros at random places: \(percents.joined(separator: ", "))")
        var isSlower = false
        for threads in [1, 2] {
            let lane = try Lane(threads: threads)
            let costs = try lane.run { try KernelCalibration.measured() } ?? .typical(threads: threads)
            for architecture in architectures {
                let latency = SparseLatency(
                    graph: try TrainingThroughput.network(architecture), lane: lane, costs: costs)
                let ratios = try SparseLatency.sparsities.map {
                    try latency.ratio(sparsity: $0, seconds: seconds / 4)
                }
                isSlower = isSlower || ratios.contains { $0 < SparseLatency.leastRatio }
                let texts = ratios.map { String(format: "%.2f", $0) }
                print(
                    "\(architecture), \(threads) thread\(threads > 1 ? "s" : ""): \(texts.joined(separator: ", "))"
                )
            }
        }
        guard !isSlower else {
            print("a network is slower with its zeros left out than with them")
            exit(1)
        }
    }

    private static func measure(_ architectures: [String], peers: [String: String]) throws {
        print(
            "\ntraining, samples/s at batch 64 (forward, backward, SGD step); median of \(rounds) alternating rounds"
        )
        for architecture in architectures {
            for threads in [1, 2] { try training(architecture, threads: threads, peers: peers) }
        }
        let images = EvidenceThroughput.hasImages ? "Fashion-MNIST images" : "images of noise"
        print(
            "\nevidence, samples/s over \(EvidenceThroughput.sampleCount) \(images), batch 64; median of \(rounds) "
                + "alternating rounds")
        for architecture in architectures { try evidence(architecture, peers: peers) }
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

    /// Squared gradients of single samples, beside forward and backward passes without them.
    private static func evidence(_ architecture: String, peers: [String: String]) throws {
        let measured: [(name: String, kinds: Set<EvidenceKind>, mode: String, peer: String)] = [
            ("mean gradients", [.meanGradients], "gradients", "torch"),
            ("per-sample squares", [.meanSquaredGradients], "squares", "torch.func"),
        ]
        let throughput = try EvidenceThroughput(architecture: architecture, threads: 1)
        var own = measured.map { _ in [Double]() }
        var others = measured.map { Series(name: $0.peer) }
        for _ in 0..<rounds {
            for (place, row) in measured.enumerated() {
                own[place].append(try throughput.measure(row.kinds))
                guard peers["torch"] != nil else { continue }
                others[place].add(
                    Peer.measure([row.mode, architecture, "1", "\(seconds)"], key: "samplesPerSecond"))
            }
        }
        for (place, row) in measured.enumerated() {
            line(
                "\(architecture), \(row.name)", threads: 1, own: own[place], [others[place]], digits: 0,
                higherIsBetter: true)
        }
        let ratios = zip(own[0], own[1]).map { $0 / $1 }.sorted()
        print(
            String(format: "  squares take %.2f times a forward and backward pass", ratios[ratios.count / 2]))
    }

    private static func latency(
        _ name: String, of graph: Graph, _ path: String, threads: Int, peers: [String: String]
    ) throws {
        let lane = try Lane(threads: threads)
        var own: [Double] = []
        var peer = Series(name: "onnxruntime")
        for _ in 0..<rounds {
            own.append(try Latency(graph: graph, lane: lane).measure(seconds: seconds / 2))
            guard peers["onnxruntime"] != nil else { continue }
            peer.add(Peer.measure(["latency", path, "\(threads)", "\(seconds / 2)"], key: "medianMs"))
        }
        line(name, threads: threads, own: own, [peer], digits: 4, higherIsBetter: false)
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
