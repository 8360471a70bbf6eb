import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Testing

/// Prune-then-run equals mask-then-run, on networks and plans drawn at random. A failure names its seed.
struct RandomNetworkTests {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func cutEqualsMasked(seed: UInt64) throws {
        let graph = try Self.network(seed: seed)
        let pruner = try Pruner(graph)
        let cut = try Self.verify(pruner, seed: seed)
        // The cut network is one like any other.
        _ = try Self.verify(try Pruner(cut), seed: seed + 1000)
    }

    /// Drops random units of every open group, compares, and returns the cut network.
    private static func verify(_ pruner: Pruner, seed: UInt64) throws -> Graph {
        let graph = pruner.graph
        var random = RandomSource(seed: seed).split("plan")
        var plan = PrunePlan(
            model: graph.name, fingerprint: graph.structuralFingerprint, granularity: .channel,
            criterion: "none", scope: "none", targets: [])
        plan.channels = pruner.groups.open.map { group in
            let count = Int.random(in: 0..<group.size, using: &random)
            let dropped = (0..<group.size).shuffled(using: &random).prefix(count).sorted()
            return PrunePlan.Channels(group: group.id, size: group.size, dropped: dropped)
        }
        let inputs = Network.inputs(of: graph, seed: seed)
        let verification = try pruner.verify(plan, inputs: inputs) { try ReferenceRunner.run($0, inputs: $1) }
        #expect(verification.isWithin(relative: 1e-8), "seed \(seed): \(verification)")
        return try pruner.cut(plan)
    }

    /// A value under construction: an image of `channels` planes of `size` x `size`.
    private struct Plane {
        let value: ValueID
        let channels: Int
        let size: Int
    }

    private static func network(seed: UInt64) throws -> Graph {
        var network = Network("random \(seed)", seed: seed)
        var random = RandomSource(seed: seed).split("structure")
        var planes = [Plane(value: network.image(channels: 3, size: 6), channels: 3, size: 6)]
        for step in 0..<Int.random(in: 4...9, using: &random) {
            guard let source = planes.suffix(3).randomElement(using: &random) else { break }
            planes.append(grow(&network, &random, step, source, planes))
        }
        return try close(&network, &random, planes)
    }

    private static func grow(
        _ network: inout Network, _ random: inout RandomSource, _ step: Int, _ source: Plane,
        _ planes: [Plane]
    ) -> Plane {
        func plane(_ value: ValueID, _ channels: Int) -> Plane {
            Plane(value: value, channels: channels, size: source.size)
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1, 2:
            let outputs = Int.random(in: 2...8, using: &random)
            let kernel = Bool.random(using: &random) ? 3 : 1
            let made = network.convolution(
                "conv\(step)", source.value, inputs: source.channels, outputs: outputs, kernel: kernel,
                bias: Bool.random(using: &random))
            return plane(Bool.random(using: &random) ? network.relu(made) : made, outputs)
        case 3:
            let multiplier = Int.random(in: 1...2, using: &random)
            let outputs = source.channels * multiplier
            let made = network.convolution(
                "depthwise\(step)", source.value, inputs: source.channels, outputs: outputs,
                groups: source.channels)
            return plane(made, outputs)
        case 4:
            let groups = source.channels % 2 == 0 ? 2 : source.channels % 3 == 0 ? 3 : 1
            let outputs = groups * Int.random(in: 1...3, using: &random)
            let made = network.convolution(
                "grouped\(step)", source.value, inputs: source.channels, outputs: outputs, groups: groups)
            return plane(made, outputs)
        case 5:
            return plane(
                network.normalization("norm\(step)", source.value, channels: source.channels), source.channels
            )
        case 6:
            let partners = planes.filter { $0.channels == source.channels && $0.size == source.size }
            guard let partner = partners.randomElement(using: &random) else { return source }
            return plane(network.add(source.value, partner.value), source.channels)
        case 7:
            let partners = planes.filter { $0.size == source.size }
            guard let partner = partners.randomElement(using: &random) else { return source }
            return plane(
                network.concatenation([source.value, partner.value]), source.channels + partner.channels)
        case 8:
            guard source.channels > 2 else { return source }
            let first = Int.random(in: 1..<source.channels, using: &random)
            let parts = network.split(source.value, sizes: [first, source.channels - first])
            return Bool.random(using: &random)
                ? plane(network.concatenation([parts[1], network.relu(parts[0])]), source.channels)
                : plane(parts[1], source.channels - first)
        default:
            return plane(
                network.excitation(
                    "se\(step)", source.value, channels: source.channels,
                    squeezed: Int.random(in: 1...4, using: &random)),
                source.channels)
        }
    }

    private static func close(
        _ network: inout Network, _ random: inout RandomSource, _ planes: [Plane]
    ) throws -> Graph {
        guard let last = planes.last else { return try network.finish() }
        var features = last.channels * last.size * last.size
        var value = last.value
        if Bool.random(using: &random) {
            value = network.globalPool(value)
            features = last.channels
        }
        value = network.linear("hidden", network.flatten(value), inputs: features, outputs: 7)
        return try network.finish(network.linear("end", network.relu(value), inputs: 7, outputs: 3))
    }
}
