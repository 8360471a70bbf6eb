import Espalier
import EspalierGraphs
import EspalierPruning
import EspalierRuns
import EspalierTraining

extension Redundancy {
    /// Writes the merged model, and puts into the record what became of the network.
    func write(
        _ merging: RedundancyPipeline.Merging, to path: String, fit: Dataset, into record: inout RunRecord
    ) throws {
        let comparison = try ModelFile.write(
            merging.graph, to: path, protecting: model, dataset: fit, seed: common.seed)
        func measures(
            _ totals: ModelSummary.Totals, _ name: RunRecord.MergeVariant.Name, path: String
        ) -> RunRecord.Measures {
            var measures = RunRecord.Measures(totals, evaluation: nil, split: "", path: path)
            if let variant = merging.record.variants.first(where: { $0.name == name && $0.accuracy != nil }) {
                (measures.accuracy, measures.loss) = (variant.accuracy, variant.loss)
                measures.split = split.split.rawValue
            }
            return measures
        }
        record.achievedSparsity = merging.receipt.achievedSparsity
        record.before = measures(merging.receipt.before, .dense, path: model)
        record.after = measures(merging.receipt.after, .merged, path: path)
        record.layers = merging.receipt.layers.map(RunRecord.Layer.init)
        record.verification = .init(comparison)
        record.verification?.surgeryMaxAbsoluteDifference = merging.surgery.maxAbsoluteDifference
        record.outputs = [path]
    }
}
