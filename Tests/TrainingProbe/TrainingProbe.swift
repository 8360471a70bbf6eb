import CAllocationCounter
import EspalierGraphs
import EspalierKernels
import EspalierRobustness
import EspalierTensors
import EspalierTraining

/// Counts the allocations of training steps, once everything is planned.
///
///     TrainingProbe STEPS dense|masked|robust
///
/// Trains a small network for one epoch of STEPS steps, and one of as many more; prints how many allocations those took together,
/// without what oneDNN allocates itself, or `unavailable` where allocations can't be counted. A program of its own, since counting
/// stands in for the C library's functions.
@main
enum TrainingProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let steps = Int(arguments[1]) else { throw ProbeError.usage }
        guard allocation_counter_is_available() else { return print("unavailable") }
        let kind = arguments[2]
        // The first run makes what the program keeps.
        _ = try allocations(steps: steps, kind: kind)
        let short = try allocations(steps: steps, kind: kind)
        let long = try allocations(steps: 2 * steps, kind: kind)
        guard short > 0 else { throw ProbeError.countsNothing }
        print(long - short)
    }

    /// Of one epoch of so many steps.
    private static func allocations(steps: Int, kind: String) throws -> Int {
        let lane = try Lane(threads: 1)
        let isMasked = kind == "masked"
        let options = ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10, seed: 1)
        guard let graph = try Architectures.named("lenet-300-100")?.graph(options) else {
            throw ProbeError.usage
        }
        var random = RandomSource(seed: 1)
        var masks = MaskSet()
        for id in graph.parameters where isMasked {
            guard let shape = graph.constants[id]?.shape, shape.rank > 1 else { continue }
            masks[id] = Mask(shape: shape, kept: (0..<shape.count).map { _ in random.uniform() < 0.2 })
        }
        let batchSize = 16
        let samples = steps * batchSize
        let data = try Dataset(
            name: "noise",
            inputs: [
                .init(
                    name: "x",
                    values: Tensor(
                        shape: [samples, 1, 8, 8],
                        scalars: (0..<(samples * 64)).map { _ in Float(random.uniform()) }))
            ], labels: .classes((0..<samples).map { Int32($0 % 10) }, count: 10))
        var recipe = TrainingRecipe(
            epochs: 1, batchSize: batchSize, optimizer: Adam(weightDecay: 0),
            schedule: ConstantRate(peak: 0.001))
        if kind == "robust" {
            recipe.regularizations = [
                SpectralPenalty(weight: 0.01), AdversarialTraining(radius: 0.1, steps: 2),
            ]
        }
        let run = try TrainingRun(
            graph, training: data, recipe: recipe, masks: masks, leavesOutMasked: isMasked, lane: lane)
        // On the lane, as handing the work over to it allocates.
        return try lane.run {
            let before = allocation_counter_value()
            try run.train()
            return allocation_counter_value() - before
        }
    }
}

enum ProbeError: Error {
    case usage, countsNothing
}
