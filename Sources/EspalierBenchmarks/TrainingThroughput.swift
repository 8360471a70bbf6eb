import EspalierGraphs
import EspalierTensors
import EspalierTraining

/// Samples per second of whole training steps: forward, loss, backward, optimiser; batch 64.
struct TrainingThroughput {
    let architecture: String
    let threads: Int

    private static let batchSize = 64

    /// Trains for about `seconds` and returns the samples per second.
    func measure(seconds: Double) throws -> Double {
        // A first short run tells how many steps fit the time.
        let trial = try run(steps: 10)
        let steps = max(10, Int(seconds * trial / Double(Self.batchSize)))
        return try run(steps: steps)
    }

    private func run(steps: Int) throws -> Double {
        let run = try TrainingRun(
            try Self.network(architecture), training: try Self.noise(samples: 64 * min(steps, 40)),
            recipe: TrainingRecipe(
                epochs: max(1, steps / 40), batchSize: Self.batchSize,
                optimizer: StochasticGradientDescent(weightDecay: 0), threads: threads))
        _ = try run.train()
        let seconds = run.history.reduce(0) { $0 + $1.seconds }
        return Double(run.stepsDone * Self.batchSize) / seconds
    }

    /// A network for 28x28 images, freshly initialised.
    static func network(_ name: String) throws -> Graph {
        guard let architecture = Architectures.named(name) else {
            throw TrainingError.architecture("no architecture '\(name)'")
        }
        return try architecture.graph(
            ArchitectureOptions(channels: 1, height: 28, width: 28, classCount: 10, seed: 1))
    }

    static func noise(samples: Int) throws -> Dataset {
        var random = RandomSource(seed: 1)
        let pixels = (0..<(samples * 784)).map { _ in Float(random.uniform()) }
        let labels = (0..<samples).map { Int32($0 % 10) }
        return try Dataset(
            name: "noise",
            inputs: [.init(name: "x", values: Tensor(shape: [samples, 1, 28, 28], scalars: pixels))],
            labels: .classes(labels, count: 10))
    }
}
