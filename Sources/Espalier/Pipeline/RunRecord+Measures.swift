package import EspalierGraphs
import EspalierOperators
package import EspalierPruning
package import EspalierRuns
package import EspalierTraining
import Foundation

extension RunRecord.Measures {
    /// - Parameters:
    ///   - dataset: what sizes are taken from that the network leaves open.
    ///   - split: the part of the data that `evaluation` is from.
    ///   - path: the model's file, for its size.
    package init(
        _ graph: Graph, dataset: Dataset?, evaluation: Evaluation?, split: String, path: String?
    ) throws {
        let shapes = try graph.openInputShapes(on: dataset)
        self.init(
            ModelSummary(try ResolvedGraph(graph, inputShapes: shapes)).totals, evaluation: evaluation,
            split: split, path: path)
    }

    package init(_ totals: ModelSummary.Totals, evaluation: Evaluation?, split: String, path: String?) {
        let attributes = path.flatMap { try? FileManager.default.attributesOfItem(atPath: $0) }
        self.init(
            parameters: totals.parameters, nonzero: totals.nonzero, macs: totals.multiplyAccumulates,
            effectiveMacs: totals.effectiveMultiplyAccumulates,
            accuracy: evaluation?.value.accuracy, loss: evaluation?.value.mean,
            split: evaluation == nil ? nil : split, fileBytes: attributes?[.size] as? Int)
    }
}

extension RunRecord.Verification {
    package init(_ comparison: OutputComparison) {
        self.init(
            maxAbsoluteDifference: comparison.maxAbsoluteDifference, outputRange: comparison.outputRange,
            samples: comparison.samples)
    }
}

extension RunRecord.Epoch {
    package init(_ summary: EpochSummary) {
        self.init(
            epoch: summary.epoch + 1, trainingLoss: summary.trainingLoss,
            trainingAccuracy: summary.trainingAccuracy, validationLoss: summary.validationLoss,
            validationAccuracy: summary.validationAccuracy, learningRate: summary.learningRate,
            seconds: summary.seconds, sparsity: summary.sparsity)
    }
}

extension RunRecord.Layer {
    package init(_ layer: Receipt.Layer) {
        self.init(
            name: layer.name, op: layer.op, requested: layer.requested, achieved: layer.achieved,
            refused: layer.refused, parametersBefore: layer.before.parameters,
            parametersAfter: layer.after.nonzero, macsBefore: layer.before.multiplyAccumulates,
            macsAfter: layer.after.effectiveMultiplyAccumulates)
    }
}
