import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining

extension EvidenceCollector {
    /// Measures evidence on a seeded part of some data, in batches that the network allows.
    ///
    /// - Parameters:
    ///   - samples: at most that many.
    ///   - willTakeBatch: called before every batch; may throw to stop.
    /// - Throws: as ``EvidenceCollector/collect(_:from:)``.
    static func collect(
        _ kinds: Set<EvidenceKind>, from graph: Graph, dataset: Dataset, samples: Int, seed: UInt64,
        lane: Lane, willTakeBatch: @escaping () throws -> Void = {}
    ) throws -> Evidence {
        guard !kinds.isEmpty else { return .none }
        let part = try dataset.evidenceSample(samples, seed: seed)
        let batchSize = graph.batchSize(wanted: min(64, part.sampleCount))
        return try EvidenceCollector(
            part, batchSize: batchSize, seed: seed, lane: lane, willTakeBatch: willTakeBatch
        ).collect(kinds, from: graph)
    }
}

extension Dataset {
    /// At most `count` samples, drawn by the seed; all of them, in a drawn order, if there are no more. Some kinds of evidence
    /// look at the first ones only, and many data are sorted by class.
    func evidenceSample(_ count: Int, seed: UInt64) throws -> Dataset {
        var random = RandomSource(seed: seed).split("evidence")
        return try selecting(Array(random.permutation(of: sampleCount).prefix(count)))
    }
}
