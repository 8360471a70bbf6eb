import Espalier
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining

extension Prune {
    /// Removes the units that are constant on the training data, and tells how many and that the outputs stay.
    func removeDeadUnits(_ recorder: RunRecorder, _ loaded: LoadedModel, _ parts: DataParts) throws {
        common.console.status(
            "watching all channels on \(Format.count(parts.fit.sampleCount)) training samples")
        let lane = try Lane(threads: common.threads)
        let patterns = request.keep.map { NamePattern($0) }
        let outcome = try DeadUnitPipeline(keep: patterns, lane: lane).run(loaded.graph, dataset: parts.fit)
        if dryRun, let path = plan {
            try OutputFile.write(String(decoding: try outcome.plan.json(), as: UTF8.self), to: path)
            common.console.status("wrote \(path)")
        }
        var comparison = outcome.comparison
        if !dryRun, let output {
            comparison = try ModelFile.write(
                outcome.graph, to: output, protecting: model, dataset: parts.validation,
                options: exportOptions,
                seed: common.seed)
        }
        var record = recorder.record(model: loaded)
        record.data = parts.description
        record.request = [.init("dead units", "\(outcome.unitCount) removed")]
        record.achievedSparsity = outcome.receipt.achievedSparsity
        record.overallSparsity = outcome.receipt.achievedSparsity
        record.before = .init(outcome.receipt.before, evaluation: nil, split: "test", path: model)
        record.after = .init(
            outcome.receipt.after, evaluation: nil, split: "test", path: dryRun ? nil : output)
        record.layers = outcome.receipt.layers.map(RunRecord.Layer.init)
        record.verification = .init(comparison)
        record.verification?.surgeryMaxAbsoluteDifference = outcome.comparison.maxAbsoluteDifference
        record.outputs = dryRun ? nil : output.map { [$0] }
        common.console.result(ReceiptTable.table(outcome.receipt))
        var sheet = FactSheet()
        sheet.add("dead units", "\(outcome.unitCount) removed")
        sheet.add(
            "outputs",
            "differ by at most \(Format.scientific(outcome.comparison.maxAbsoluteDifference)) on "
                + "\(Format.count(outcome.comparison.samples)) training samples")
        if let sizes = ReceiptTable.fileSizes(record) { sheet.add("file", sizes) }
        if let output, !dryRun { sheet.add("wrote", output) }
        common.console.result("\n" + sheet.rendered())
        try common.deliver(record)
    }
}
