import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining

/// Samples per second of evidence over Fashion-MNIST images (or noise, where they are not installed), batch 64.
struct EvidenceThroughput {
    let graph: Graph
    let dataset: Dataset
    let lane: Lane

    static let sampleCount = 10_000

    init(architecture: String, threads: Int) throws {
        graph = try TrainingThroughput.network(architecture)
        dataset = try Self.images()
        lane = try Lane(threads: threads)
    }

    /// Whether the images are real ones.
    static var hasImages: Bool { (try? source()) != nil }

    private static func source() throws -> Dataset {
        try DataSource("fashion-mnist").load(.train, options: LoadOptions())
    }

    private static func images() throws -> Dataset {
        guard let all = try? source(), all.sampleCount >= sampleCount else {
            return try TrainingThroughput.noise(samples: sampleCount)
        }
        return try all.selecting(Array(0..<sampleCount))
    }

    /// One pass over the data for some kinds of evidence, the programs' making included.
    func measure(_ kinds: Set<EvidenceKind>) throws -> Double {
        let collector = EvidenceCollector(dataset, loss: CrossEntropy(), lane: lane)
        let clock = ContinuousClock()
        let start = clock.now
        _ = try collector.collect(kinds, from: graph)
        return Double(dataset.sampleCount) / ((clock.now - start) / .seconds(1))
    }
}
