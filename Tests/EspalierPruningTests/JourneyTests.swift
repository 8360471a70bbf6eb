import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// What is collected while training, against sums written out here.
struct JourneyTests {
    /// Repeats the definitions, step by step.
    private final class Witness: StepHook {
        let identity = "witness"
        let lane: Lane
        var movement: [ValueID: [Double]] = [:]
        var squares: [ValueID: [Double]] = [:]
        var samples = 0

        init(_ lane: Lane) { self.lane = lane }

        func willUpdate(_ run: TrainingRun) throws {
            let batch = try #require(run.batchUnderWay)
            let graph = try run.currentGraph()
            let evidence = try EvidenceCollector(
                run.training.selecting(Array(batch.samples)), batchSize: 7, lane: lane
            ).collect([.meanSquaredGradients, .meanGradients], from: graph)
            samples += batch.count
            for entry in run.store.trainable {
                let gradients = run.store.gradient(of: entry).scalars(as: Double.self)
                let weights = run.store.tensor(of: entry).scalars(as: Double.self)
                let found = try #require(evidence[.meanSquaredGradients][entry.value])
                    .scalars(as: Double.self)
                var (sums, squareSums) = (
                    movement[entry.value] ?? [Double](repeating: 0, count: entry.count),
                    squares[entry.value] ?? [Double](repeating: 0, count: entry.count)
                )
                for index in 0..<entry.count {
                    sums[index] -= gradients[index] * weights[index]
                    squareSums[index] += found[index] * Double(batch.count)
                }
                (movement[entry.value], squares[entry.value]) = (sums, squareSums)
            }
        }
    }

    private func run(_ hooks: [any StepHook], lane: Lane) throws -> TrainingRun {
        var random = RandomSource(seed: 5)
        let samples = 50
        let scalars = (0..<(samples * 6)).map { _ in Float(random.normal()) }
        let dataset = try Dataset(
            name: "noise",
            inputs: [.init(name: "x", values: Tensor(shape: [samples, 6], scalars: scalars))],
            labels: .classes((0..<samples).map { Int32($0 % 3) }, count: 3))
        return try TrainingRun(
            try Network.perceptron([6, 5, 3], dtype: .float32), training: dataset,
            recipe: TrainingRecipe(
                epochs: 3, batchSize: 12, optimizer: StochasticGradientDescent(momentum: 0.5),
                schedule: ConstantRate(peak: 0.1), seed: 2, maximumGradientNorm: 0.5,
                dropsPartialBatch: false),
            hooks: hooks, lane: lane)
    }

    @Test func sumsAreThoseOfTheDefinitions() throws {
        let lane = try Lane(threads: 1)
        let (recorder, witness) = (JourneyRecorder([.movement, .saliency]), Witness(lane))
        let run = try run([recorder, witness], lane: lane)
        try run.train()
        let evidence = recorder.evidence(run)
        #expect(evidence.sampleCount == 150)
        for entry in run.store.trainable {
            let movement = try #require(evidence[.movement][entry.value]).scalars(as: Double.self)
            let squares = try #require(evidence[.journeySquaredGradients][entry.value])
                .scalars(as: Double.self)
            for index in 0..<entry.count {
                #expect(abs(movement[index] - (witness.movement[entry.value]?[index] ?? .nan)) < 1e-5)
                let expected = (witness.squares[entry.value]?[index] ?? .nan) / Double(witness.samples)
                #expect(abs(squares[index] - expected) <= 1e-5 * max(expected, 1e-3))
            }
        }
    }

    @Test(arguments: [1, 5, 9])
    func aResumedRunCollectsTheSame(stop: Int) throws {
        let lane = try Lane(threads: 1)
        let whole = JourneyRecorder([.movement, .saliency])
        let straight = try run([whole], lane: lane)
        try straight.train()
        let path = FileManager.default.temporaryDirectory.appending(path: "journey-\(UUID().uuidString).npz")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try run([JourneyRecorder([.movement, .saliency])], lane: lane)
        try first.train(
            checkpoints: CheckpointPolicy(path: path), isCancelled: { first.stepsDone == stop })
        let resumed = JourneyRecorder([.movement, .saliency])
        let second = try run([resumed], lane: lane)
        try second.resume(from: path)
        try second.train()
        let (one, other) = (whole.evidence(straight), resumed.evidence(second))
        #expect(other.sampleCount == one.sampleCount)
        for kind in [EvidenceKind.movement, .journeySquaredGradients] {
            for entry in straight.store.trainable {
                #expect(
                    one[kind][entry.value]?.scalars(as: Float.self)
                        == other[kind][entry.value]?.scalars(as: Float.self))
            }
        }
        // A run that collects something else does not continue this one.
        #expect(throws: TrainingError.self) {
            try run([JourneyRecorder([.movement])], lane: lane).resume(from: path)
        }
    }
}
