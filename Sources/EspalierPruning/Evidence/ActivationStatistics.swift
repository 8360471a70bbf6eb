import EspalierExecution
package import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

extension EvidenceKind {
    /// Per channel of what a nonlinearity reads, the share of samples and positions at which it is above zero.
    package static let firingShares = EvidenceKind(rawValue: "firingShares")
    /// Per channel of what a nonlinearity reads, the share of samples in which it is above zero at any position.
    package static let firingSamples = EvidenceKind(rawValue: "firingSamples")
    /// Per channel of what a nonlinearity makes, the share of samples and positions at which it is exactly zero.
    package static let zeroShares = EvidenceKind(rawValue: "zeroShares")
    /// Per channel of what a nonlinearity makes, the mean rank of its map of positions.
    package static let featureRanks = EvidenceKind(rawValue: "featureRanks")
    /// Per channel where it ends, in a layer that multiplies it with weights or a sum over it, its least value.
    package static let activationMinima = EvidenceKind(rawValue: "activationMinima")
    /// Per channel where it ends, its greatest value.
    package static let activationMaxima = EvidenceKind(rawValue: "activationMaxima")
    /// Per element of a multiplied weight, the Euclidean norm over samples and positions of what it is multiplied with.
    package static let inputNorms = EvidenceKind(rawValue: "inputNorms")
}

/// Runs the network forward and watches the values inside it.
///
/// Evidence on channels belongs to the value that was watched and has its rank, with extent 1 on all axes but the
/// channels'. All channels of one unit (positions of a map that was flattened) carry the unit's figure. Where a group
/// passes no nonlinearity, it is watched where it ends, and fires where it is not zero.
package enum ActivationStatistics: EvidencePass {
    package static let kinds: Set<EvidenceKind> = [
        .firingShares, .firingSamples, .zeroShares, .featureRanks, .activationMinima, .activationMaxima,
        .inputNorms,
    ]

    package static func needsLabels(for wanted: Set<EvidenceKind>) -> Bool { false }

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence {
        var watch = try ActivationWatch(wanted, graph, context: context)
        let batcher = try context.batcher(batchSize: watch.batchSize)
        let pass = try ActivationPass(
            graph, dataset: context.dataset, values: watch.values, threads: context.lane.threads)
        for batch in batcher.batches(epoch: 0) {
            try context.willTakeBatch()
            try watch.add(try pass.run(batch, of: batcher), batchSize: batch.count)
        }
        return watch.evidence(sampleCount: context.dataset.sampleCount)
    }
}
