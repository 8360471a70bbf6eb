import EspalierKernels
import EspalierONNX
import EspalierPruning
import EspalierRobustness
import EspalierTraining
import Foundation

/// Times training and inference beside PyTorch and ONNX Runtime, alternately, and prints medians and ratios.
///
/// No part of the test suite: the machine decides. The process ends with 1, and says where, if a network takes longer than in ONNX
/// Runtime, or longer with its zeros left out than with them, by more than noise (``Promises``). ``usage`` lists the arguments.
@main
enum EspalierBenchmarks {
    static let rounds = 3
    static let seconds = 2.0
    private static let defaults = ["lenet-300-100", "lenet-5", "resnet-8"]
    private static let alsoSparse = ["resnet-20", "mobilenet-tiny", "tiny-cnn"]

    private static let usage = """
        usage: EspalierBenchmarks [NETWORK ...]
               EspalierBenchmarks zeros [NETWORK ...]
               EspalierBenchmarks formats | layers | tickets | certificates

        NETWORK is a built-in architecture or an ONNX file, such as Tools/bench/models.py writes.
        Without an argument everything is timed but formats and layers.

        NETWORK ...   architectures in training and inference, files in inference, beside the peers installed
        zeros         what leaving out zeros gains: the networks given, or six built-in ones, beside their
                      own dense execution, with 30 to 99 % of the weights zero at random places
        formats       what patterns of zeros do to single layers
        layers        what zeros at random places do to the layers of large networks
        tickets       the small steps of lottery tickets
        certificates  bounds of margins

        Exits with 1 if a network is slower than ONNX Runtime, or with zeros slower than dense, by more than 5 %.

        """

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        var promises = Promises()
        if arguments.first == "zeros" {
            let named = Array(arguments.dropFirst())
            try zeros(networks(named.isEmpty ? defaults + alsoSparse : named), &promises)
        } else if arguments == ["formats"] {
            try formats(FormatLatency.layersOfAllKinds, FormatLatency.Pattern.allCases)
        } else if arguments == ["layers"] {
            try formats(FormatLatency.layersOfNetworks, [.elements])
        } else if arguments == ["tickets"] {
            try tickets(peers: Peer.installed())
        } else if arguments == ["certificates"] {
            try certificates()
        } else {
            let chosen = networks(arguments.isEmpty ? defaults : arguments)
            let peers = Peer.installed()
            try compare(chosen, peers: peers, &promises)
            if arguments.isEmpty {
                try certificates()
                try tickets(peers: peers)
                try zeros(networks(defaults + alsoSparse), &promises)
            }
        }
        promises.exitIfBroken()
    }

    /// Ends the process, before anything is timed, if there is no such network.
    private static func networks(_ names: [String]) -> [TimedNetwork] {
        let networks = names.map { TimedNetwork(name: $0) }
        if let missing = networks.first(where: { !$0.exists }) {
            FileHandle.standardError.write(
                Data("neither an architecture nor an ONNX file: \(missing.name)\n\n\(usage)".utf8))
            exit(64)
        }
        return networks
    }

    /// Training of the built-in ones among the networks, and inference of all of them.
    private static func compare(
        _ networks: [TimedNetwork], peers: [String: String], _ promises: inout Promises
    ) throws {
        print("oneDNN \(DNNLibrary.version), \(DNNLibrary.instructionSet)")
        for name in ["torch", "onnxruntime"] { print("\(name): \(peers[name] ?? "not installed")") }
        let architectures = networks.filter { !$0.isFile }.map(\.name)
        if !architectures.isEmpty { try measure(architectures, peers: peers) }
        try latencies(networks, peers: peers, &promises)
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
    private static func formats(_ layers: [FormatLatency.Layer], _ patterns: [FormatLatency.Pattern]) throws {
        let percents = FormatLatency.sparsities.map { String(format: " %.0f %% |", 100 * $0) }.joined()
        print(
            "| layer, weights removed as |\(percents)\n|---|\(percents.map { $0 == "|" ? "---|" : "" }.joined())"
        )
        let latency = FormatLatency(lane: try Lane(threads: 1), seconds: seconds / 4)
        for layer in layers {
            for pattern in patterns {
                let cells = try FormatLatency.sparsities.map { sparsity in
                    guard let gain = try latency.gain(layer, pattern, sparsity: sparsity) else { return " |" }
                    return String(format: " %.2fx, %.2f |", gain.speedup, gain.efficiency)
                }
                print("| \(layer.name), \(pattern.rawValue) |\(cells.joined())")
            }
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

    /// What one peer was measured to do.
    struct Series {
        let name: String
        private(set) var values: [Double] = []

        init(name: String) { self.name = name }

        /// Nil is a measurement that failed.
        mutating func add(_ value: Double?) { values += [value].compactMap { $0 } }
    }

    /// Nil if nothing was measured.
    static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    static func label(_ name: String, threads: Int) -> String {
        "\(name), \(threads) thread\(threads > 1 ? "s" : "")"
    }

    static func line(
        _ architecture: String, threads: Int, own: [Double], _ peers: [Series], digits: Int,
        higherIsBetter: Bool
    ) {
        func text(_ values: [Double]) -> String {
            let sorted = values.sorted()
            guard let low = sorted.first, let high = sorted.last else { return "not measured" }
            let median = sorted[sorted.count / 2]
            return String(format: "%.\(digits)f (%.\(digits)f to %.\(digits)f)", median, low, high)
        }
        var parts = ["\(label(architecture, threads: threads)): espalier \(text(own))"]
        for peer in peers {
            guard let mine = median(own), let theirs = median(peer.values) else { continue }
            parts.append("\(peer.name) \(text(peer.values))")
            parts.append(String(format: "%.2fx", higherIsBetter ? mine / theirs : theirs / mine))
        }
        print(parts.joined(separator: ", "))
    }
}
