import Espalier
import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierRuns
import EspalierTraining
import Foundation

extension RunRecord.Measures {
    /// - Parameters:
    ///   - split: the part of the data that `evaluation` is from.
    ///   - path: the model's file, for its size.
    init(_ graph: Graph, evaluation: Evaluation?, split: String, path: String?) throws {
        self.init(
            ModelSummary(try ResolvedGraph(graph)).totals, evaluation: evaluation, split: split, path: path)
    }

    init(_ totals: ModelSummary.Totals, evaluation: Evaluation?, split: String, path: String?) {
        let attributes = path.flatMap { try? FileManager.default.attributesOfItem(atPath: $0) }
        self.init(
            parameters: totals.parameters, nonzero: totals.nonzero, macs: totals.multiplyAccumulates,
            effectiveMacs: totals.effectiveMultiplyAccumulates,
            accuracy: evaluation?.value.accuracy, loss: evaluation?.value.mean,
            split: evaluation == nil ? nil : split, fileBytes: attributes?[.size] as? Int)
    }
}

extension RunRecord.Verification {
    init(_ comparison: OutputComparison) {
        self.init(
            maxAbsoluteDifference: comparison.maxAbsoluteDifference, outputRange: comparison.outputRange,
            samples: comparison.samples)
    }
}

extension MaskSet {
    /// What a pruned file tells of its own masks: zeros in tensors with two or more axes, where there are any.
    init(zerosOf graph: Graph) {
        self.init()
        for id in graph.parameters {
            guard let tensor = graph.constants[id], tensor.shape.rank > 1, tensor.dtype == .float32 else {
                continue
            }
            let mask = Mask(nonzeroOf: tensor)
            if mask.keptCount < tensor.count { self[id] = mask }
        }
    }
}
