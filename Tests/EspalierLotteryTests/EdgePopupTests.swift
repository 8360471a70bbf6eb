import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierLottery
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct EdgePopupTests {
    private static let kept = ["fc1.weight": 40, "fc2.weight": 17]

    private func network() throws -> Graph {
        let options = ArchitectureOptions(
            channels: 1, height: 4, width: 4, classCount: 3, seed: 4)
        var network = try NetworkBuilder(name: "perceptron", options: options)
        let flat = network.flatten("flatten", network.images())
        let first = network.activation("relu", network.linear("fc1", flat, width: 12))
        let logits = network.logits("fc2", first)
        return try network.finish(output: logits)
    }

    private func samples(_ count: Int, seed: UInt64) throws -> Dataset {
        var random = RandomSource(seed: seed)
        let labels = (0..<count).map { _ in Int32(random.next() % 3) }
        let values = labels.flatMap { label in
            (0..<16).map { Float(random.normal() + ($0 % 3 == Int(label) ? 1.5 : 0)) }
        }
        return try Dataset(
            name: "stripes",
            inputs: [.init(name: "x", values: Tensor(shape: [count, 1, 4, 4], scalars: values))],
            labels: .classes(labels, count: 3))
    }

    private func popup(_ graph: Graph, seed: UInt64 = 2) throws -> EdgePopup {
        EdgePopup(
            try Self.kept.sorted { $0.key < $1.key }.map { name, kept in
                let weight = try #require(graph.value(named: name)?.id)
                return .init(weight: weight, kept: kept, fanIn: name == "fc1.weight" ? 16 : 12)
            }, seed: seed)
    }

    private func run(_ graph: Graph, _ hooks: [any StepHook], epochs: Int = 10) throws -> TrainingRun {
        try TrainingRun(
            graph, training: samples(96, seed: 5), validation: samples(48, seed: 6),
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: 16,
                optimizer: StochasticGradientDescent(momentum: 0.9, weightDecay: 1e-4),
                schedule: CosineAnnealing(peak: 0.1), seed: 1, keepsBest: false),
            hooks: hooks, lane: Lane(threads: 1))
    }

    /// Weights are what they were or zero, as many as asked for; and yet the network learns.
    @Test func findsASubnetworkOfUntrainedWeights() throws {
        let graph = try network()
        let popup = try popup(graph)
        let run = try run(graph, [popup], epochs: 20)
        try run.train()
        let found = try popup.evaluated(run.currentGraph(), in: run)
        for (name, kept) in Self.kept {
            let id = try #require(graph.value(named: name)?.id)
            let (before, after) = try (
                #require(graph.constants[id]).scalars(as: Float.self),
                #require(found.constants[id]).scalars(as: Float.self)
            )
            #expect(after.count { $0 != 0 } == kept)
            for (old, new) in zip(before, after) where new != 0 { #expect(new == old) }
        }
        for id in graph.parameters where !Self.kept.keys.contains(graph.name(of: id)) {
            let values = try [graph, found].map { try #require($0.constants[id]).scalars(as: Float.self) }
            #expect(values[0] == values[1], "\(graph.name(of: id))")
        }
        let first = try #require(run.history.first?.validationAccuracy)
        let last = try #require(run.history.last?.validationAccuracy)
        #expect(last > 0.8 && last > first, "from \(first) to \(last)")
    }

    /// Weight decay included.
    @Test func weightsWithoutScoresStayAsTheyAre() throws {
        let graph = try network()
        let weight = try #require(graph.value(named: "fc1.weight")?.id)
        let run = try run(
            graph, [EdgePopup([.init(weight: weight, kept: 40, fanIn: 16)], seed: 2)], epochs: 3)
        try run.train()
        let after = try run.currentGraph()
        for id in graph.parameters where id != weight {
            let values = try [graph, after].map { try #require($0.constants[id]).scalars(as: Float.self) }
            #expect(values[0] == values[1], "\(graph.name(of: id))")
        }
        let scores = try [graph, after].map { try #require($0.constants[weight]).scalars(as: Float.self) }
        #expect(scores[0] != scores[1])
    }

    /// The gradient of a score is that of the subnetwork's loss by an element, times the element, with the score's sign, whether
    /// or not the element takes part. Here the loss is differentiated by finite differences.
    @Test func gradientsPassThroughTheChoice() throws {
        let graph = try network()
        let popup = try popup(graph)
        let data = try samples(16, seed: 5)
        let weight = try #require(graph.value(named: "fc2.weight")?.id)
        let weights = try #require(graph.constants[weight]).scalars(as: Float.self)
        let witness = Witness()
        var scores: [Float] = []
        var gradients: [Float] = []
        witness.onUpdate = { run in
            guard let entry = run.store.trainable.first(where: { $0.value == weight }) else { return }
            scores = Array(run.store.values[entry.range])
            gradients = Array(run.store.gradients[entry.range])
        }
        var effective: Graph?
        let run = try TrainingRun(
            graph, training: data,
            recipe: TrainingRecipe(epochs: 1, batchSize: 16, schedule: ConstantRate(peak: 0), seed: 1),
            hooks: [popup, witness], lane: Lane(threads: 1))
        try run.train()
        effective = try popup.evaluated(run.currentGraph(), in: run)
        let network = try #require(effective)
        let tensor = try #require(network.constants[weight])
        func loss(_ values: [Float]) throws -> Double {
            var patch = Patch(for: network)
            patch.append(.setConstant(weight, Tensor(shape: tensor.shape, scalars: values)))
            return try Evaluator(network.applying(patch), lane: run.lane).evaluate(data).value.mean
        }
        let values = tensor.scalars(as: Float.self)
        #expect(values.contains(0) && values.contains { $0 != 0 })
        for position in values.indices {
            var (up, down) = (values, values)
            up[position] += 0.01
            down[position] -= 0.01
            let slope = try (loss(up) - loss(down)) / 0.02
            let expected = slope * Double(weights[position]) * (scores[position] < 0 ? -1 : 1)
            #expect(abs(Double(gradients[position]) - expected) < 1e-4, "element \(position)")
        }
    }

    @Test(arguments: [1, 7, 31, 59])
    func resumesBitForBit(stop: Int) throws {
        let graph = try network()
        func bits(_ run: TrainingRun) throws -> [[UInt32]] {
            try run.currentGraph().parameters.map { id in
                try #require(run.currentGraph().constants[id]).scalars(as: Float.self).map(\.bitPattern)
            }
        }
        let straight = try run(graph, [popup(graph)])
        try straight.train()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("run.npz").path
        let first = try run(graph, [popup(graph)])
        try first.train(
            checkpoints: CheckpointPolicy(path: path, everyEpochs: 100),
            isCancelled: { first.stepsDone == stop })
        let second = try run(graph, [popup(graph)])
        try second.resume(from: path)
        try second.train()
        #expect(try bits(second) == bits(straight))
        #expect(try bits(run(graph, [popup(graph, seed: 3)])) != bits(straight))
    }
}

/// Sees what other hooks, before it, have made of the gradients.
private final class Witness: StepHook {
    let identity = "witness"
    var onUpdate: (TrainingRun) -> Void = { _ in }

    func willUpdate(_ run: TrainingRun) { onUpdate(run) }
}
