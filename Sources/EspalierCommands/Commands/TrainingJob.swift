import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining
import Foundation

/// Where a long run is saved, and whether it goes on from there.
struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Save the run there after every epoch and when interrupted.", valueName: "run.npz")
    )
    var checkpoint: String?

    @Flag(help: "Go on from the checkpoint if there is one.")
    var resume = false

    func validate() throws {
        guard !resume || checkpoint != nil else { throw ValidationError("--resume needs --checkpoint") }
    }
}

/// What `train` and `finetune` share: train, evaluate, verify, write, tell.
struct TrainingJob {
    var graph: Graph
    var parts: DataParts
    var recipe: TrainingRecipe
    var label: String
    var checkpoint: CheckpointOptions
    var masks = MaskSet()
    var teacher: Graph?
    /// Collects evidence on the way; it is written beside the model.
    var journey: JourneyRecorder?

    func run(output: String, common: CommonOptions, recorder: RunRecorder, model: LoadedModel?) throws {
        let run = try TrainingRun(
            graph, training: parts.fit, validation: parts.validation, recipe: recipe,
            teacher: teacher.map { Teacher($0) },
            masks: masks, hooks: [journey].compactMap { $0 })
        if checkpoint.resume, let path = checkpoint.checkpoint, FileManager.default.fileExists(atPath: path) {
            try run.resume(from: path)
            common.console.status("resuming after \(run.stepsDone) of \(run.totalSteps) steps")
        }
        let progress = TrainingProgress(label, console: common.console)
        let outcome = try run.train(
            checkpoints: checkpoint.checkpoint.map { CheckpointPolicy(path: $0) },
            observer: { progress.show($0) }, isCancelled: { Interruption.isRequested })
        progress.finish()
        guard outcome != .cancelled else { throw Interruption.exitCode }
        let trained = try run.trainedGraph()
        let evaluation =
            parts.test.isLabelled
            ? try Evaluator(
                trained, output: trained.lossOutput(for: parts.test, batchSize: 1), lane: run.lane
            ).evaluate(parts.test) : nil
        let comparison = try ModelFile.write(
            trained, to: output, protecting: model?.path, dataset: parts.validation, seed: common.seed)
        if let journey {
            try EvidenceFile.write(
                journey.evidence(run), of: trained, at: EvidenceFile.path(beside: output))
        }

        var record = recorder.record(model: model)
        record.model = record.model ?? .init(name: graph.name, path: output)
        record.data = parts.description
        record.samples = evaluation?.value.count
        record.accuracy = evaluation?.value.accuracy
        record.loss = evaluation?.value.mean
        record.epochs = run.history.map(RunRecord.Epoch.init)
        record.after = try RunRecord.Measures(
            trained, dataset: parts.fit, evaluation: evaluation, split: "test", path: output)
        record.verification = .init(comparison)
        record.outputs = [output] + (journey == nil ? [] : [EvidenceFile.path(beside: output)])
        var sheet = FactSheet()
        sheet.add("model", output)
        if let accuracy = record.accuracy {
            sheet.add(
                "test accuracy",
                "\(Format.percent(accuracy, digits: 2)) of \(Format.count(parts.test.sampleCount))")
        }
        if let loss = record.loss { sheet.add("test loss", Format.fixed(loss, 4)) }
        common.console.result(sheet.rendered())
        try common.deliver(record)
    }
}
