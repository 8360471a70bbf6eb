import EspalierGraphs
import EspalierKernels
import EspalierTensors
import EspalierTraining
import Synchronization

/// Steps per second of trainings as experiments with lottery tickets take thousands of: batches of 60, Adam, on one thread each, and
/// several side by side.
struct TicketThroughput {
    let architecture: String
    /// How many train at a time.
    let trainings: Int
    /// The share of each layer's weights that is left, at places drawn at random.
    let remaining: Double

    private static let batchSize = 60
    private static let stepsPerEpoch = 40

    /// Trains for about `seconds` and returns the steps per second of all together.
    func measure(seconds: Double) throws -> Double {
        let trial = try rate(epochs: 2) / Double(trainings)
        return try rate(epochs: max(2, Int(seconds * trial / Double(Self.stepsPerEpoch))))
    }

    private func rate(epochs: Int) throws -> Double {
        let lanes = try (0..<trainings).map { _ throws(LaneError) in try Lane(threads: 1) }
        let rates = Mutex<[Result<Double, any Error>]>([])
        let job = self
        for lane in lanes {
            lane.start {
                let rate = Result { try job.rate(epochs: epochs, on: lane) }
                rates.withLock { $0.append(rate) }
            }
        }
        // Jobs of a lane run one after another.
        for lane in lanes { lane.run {} }
        return try rates.withLock { try $0.reduce(0) { try $0 + $1.get() } }
    }

    private func rate(epochs: Int, on lane: Lane) throws -> Double {
        let graph = try TrainingThroughput.network(architecture)
        var random = RandomSource(seed: 1)
        var masks = MaskSet()
        for id in graph.parameters where remaining < 1 {
            guard let shape = graph.constants[id]?.shape, shape.rank > 1 else { continue }
            masks[id] = Mask(shape: shape, kept: (0..<shape.count).map { _ in random.uniform() < remaining })
        }
        let run = try TrainingRun(
            graph, training: try TrainingThroughput.noise(samples: Self.batchSize * Self.stepsPerEpoch),
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: Self.batchSize, optimizer: Adam(weightDecay: 0),
                schedule: ConstantRate(peak: 0.0012)), masks: masks, leavesOutMasked: true, lane: lane)
        try run.train()
        return Double(run.stepsDone) / run.history.reduce(0) { $0 + $1.seconds }
    }
}
