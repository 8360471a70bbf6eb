public import EspalierGraphs
public import EspalierONNX
import EspalierPruning
public import EspalierRuns
import EspalierTraining

/// What ``Pruning`` made of a network, and what that did to it.
public struct PrunedNetwork: Sendable {
    /// The network that is left, to run or to write.
    public let graph: Graph
    /// Size, cost and, with labelled test samples, accuracy of the network as it was.
    public let before: RunRecord.Measures
    /// The same of ``graph``.
    public let after: RunRecord.Measures
    /// The share of the network's parameters that is gone: cut out, or zero.
    public let sparsity: Double
    /// What was asked of each layer, what was done, and why if that is less.
    public let layers: [RunRecord.Layer]
    /// Of the repair.
    public let epochs: [RunRecord.Epoch]
    /// By how much outputs of the cut and of the masked network differ, where channels were cut.
    public let surgeryDifference: Double?
    private let samples: Pruning.Samples?
    private let seed: UInt64

    init(_ outcome: PrunePipeline.Outcome, samples: Pruning.Samples?, seed: UInt64) {
        graph = outcome.graph
        let receipt = outcome.receipt
        before = .init(receipt.before, evaluation: outcome.before, split: "test", path: nil)
        after = .init(receipt.after, evaluation: outcome.after, split: "test", path: nil)
        sparsity = receipt.achievedSparsity
        layers = receipt.layers.map(RunRecord.Layer.init)
        epochs = outcome.history.map(RunRecord.Epoch.init)
        surgeryDifference = outcome.surgery?.maxAbsoluteDifference
        self.samples = samples
        self.seed = seed
    }

    /// Writes the network, with how its samples were prepared: to a temporary file, which is read back and run beside the network in memory
    /// before it takes the name.
    ///
    /// - Parameters:
    ///   - source: a file that must not be overwritten: the one that the network came from.
    ///   - options: how the weights are written.
    /// - Returns: how far both are apart: 0 but for the order of summation.
    /// - Throws: ``PruningFailure`` if they differ by more than rounding, or `path` is `source`; ``ONNXError``.
    @discardableResult
    public func write(
        to path: String, protecting source: String? = nil, options: ONNXExportOptions = ONNXExportOptions()
    ) throws -> OutputComparison {
        try PruningFailure.telling {
            try ModelFile.write(
                graph, to: path, protecting: source, dataset: samples?.validation ?? samples?.fit,
                options: options, seed: seed)
        }
    }
}
