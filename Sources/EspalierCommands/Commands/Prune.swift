import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierOperators
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining
import Foundation

/// Plans, cuts, repairs, verifies and writes.
struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Removes dispensable weights or channels, repairs the accuracy, verifies and writes the model.",
        discussion: """
            How far: --sparsity, the share of the prunable parameters to remove; --max-macs, --max-parameters and --max-bytes, \
            the shares to keep at most; --max-accuracy-drop, the accuracy that may be lost at most; --target-latency, the \
            milliseconds that an inference of one sample may take on this machine; --allocation, a share for each layer; or, \
            with --method lagrangian or l0, --lambda, a price of the whole cost. \
            Element granularity sets single weights to zero, block:RxC blocks of R outputs by C inputs; N:M \
            keeps N of every M consecutive inputs, so it says by itself how far. Channel granularity cuts whole channels out, \
            with everything that depends on them, so that the model is smaller and faster anywhere. --dead-units instead cuts \
            the channels that are constant on all training data, with the outputs on these unchanged, and repairs nothing.

            CRITERIA
            \(Criteria.all.map { "  \($0.information.id): \($0.information.measures)" }.joined(separator: "\n"))

            EXAMPLE
              espalier prune dense.onnx --data fashion-mnist --sparsity 0.9 --schedule cubic -o sparse.onnx
              espalier prune dense.onnx --data fashion-mnist --granularity channel --max-macs 0.5 -o slim.onnx \
            --report report.html
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource?

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var shapeOptions: ShapeOptions

    @OptionGroup var request: PruningOptions

    @OptionGroup var method: MethodOptions

    @Flag(help: "Remove the channels that never change on the training data, and nothing else; needs --data.")
    var deadUnits = false

    @Option(help: "When the schedule removes: all at once before the repair, or in the course of it.")
    var schedule: PrunePipeline.ScheduleKind = .oneShot

    @Option(
        help: ArgumentHelp(
            "Share of the kept weights exchanged, as the schedule goes on, for dropped ones with large gradients.",
            valueName: "share"))
    var regrowth: Double = 0

    @Option(
        name: .customLong("finetune-epochs"),
        help: ArgumentHelp("Epochs of repair, 0 for none; without it 4.", valueName: "n"))
    var givenEpochs: Int?

    @OptionGroup var repairing: RepairOptions

    @OptionGroup var checkpoint: CheckpointOptions

    @Option(
        name: .customLong("evidence-samples"),
        help: ArgumentHelp(
            "Training samples that importance is measured on; without it 2000.", valueName: "n"))
    var givenEvidenceSamples: Int?

    @Flag(help: "Show the plan and the receipt; write no model.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "With --dry-run, where to save the plan; else the plan, perhaps edited, to apply.",
            valueName: "plan.json"),
        completion: .file(extensions: ["json"]))
    var plan: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The model to write.", valueName: "model.onnx"),
        completion: .onnx)
    var output: String?

    @Flag(
        help: ArgumentHelp(
            "Store weights sparsely where that makes the file smaller.",
            discussion: """
                As ONNX's sparse initializers, which ONNX Runtime reads (checked with 1.32). onnx.checker accepts them, but \
                not with full_check, and not all software reads them: so the default is dense. Only the file is smaller, \
                not what is run.
                """))
    var sparseStorage = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard finetuneEpochs >= 0 else { throw ValidationError("--finetune-epochs must not be negative") }
        guard evidenceSamples > 0 else { throw ValidationError("--evidence-samples must be positive") }
        guard schedule == .oneShot || dryRun || (finetuneEpochs > 0 && data != nil) else {
            throw ValidationError(
                "--schedule \(schedule.rawValue) prunes in the course of the repair, which needs --data and epochs"
            )
        }
        guard (0..<1).contains(regrowth) else {
            throw ValidationError("--regrowth must be from 0 to below 1")
        }
        guard regrowth == 0 || schedule != .oneShot else {
            throw ValidationError(
                "--regrowth needs a schedule of several steps: --schedule iterative or cubic")
        }
        guard dryRun || output != nil else {
            throw ValidationError("give --output, or --dry-run to see the plan")
        }
        let repairs = data != nil && finetuneEpochs > 0 && !dryRun && !deadUnits
        guard checkpoint.checkpoint == nil || repairs else {
            throw ValidationError(
                "--checkpoint saves the repair, which needs --data and epochs: leave out --dry-run and --dead-units"
            )
        }
        try validateRepair()
        try validateMethod()
        if deadUnits {
            guard data != nil else { throw ValidationError("--dead-units looks at what units do on --data") }
            guard !request.saysHowFar, schedule == .oneShot, plan == nil || dryRun else {
                throw ValidationError(
                    "--dead-units is a target of its own: leave out --sparsity and the like, --schedule and --plan"
                )
            }
            guard !request.saysHow, !saysRepair, givenEvidenceSamples == nil else {
                throw ValidationError(
                    "--dead-units cuts what is constant on all training data, and repairs nothing: leave out --criterion, --granularity, --scope and the like, --evidence-samples, --finetune-epochs, --learning-rate and the like"
                )
            }
            return
        }
        if request.maxAccuracyDrop != nil {
            guard data != nil, finetuneEpochs > 0, !dryRun, plan == nil else {
                throw ValidationError(
                    "--max-accuracy-drop repairs several networks, which needs --data and epochs: leave out --dry-run and --plan"
                )
            }
            guard request.granularity?.fixesShares != true, request.allocation == nil else {
                throw ValidationError(
                    "--max-accuracy-drop finds out how far: N:M and --allocation say so already")
            }
        }
        guard request.saysHowFar || method.lambda != nil || (plan != nil && !dryRun) else {
            throw ValidationError(
                "say how far: --sparsity, --max-macs, --max-parameters, --max-bytes, --max-accuracy-drop, --target-latency, --allocation, --granularity N:M, --lambda, --dead-units or --plan"
            )
        }
        guard !request.saysHowFar || plan == nil || dryRun else {
            throw ValidationError("--plan says how far already: leave out --sparsity and the like")
        }
        guard plan == nil || dryRun || (!request.saysWhat && schedule == .oneShot) else {
            throw ValidationError(
                "--plan says what goes, at once: leave out --criterion, --granularity, --scope, --keep and the like, and --schedule"
            )
        }
    }

    private var finetuneEpochs: Int { givenEpochs ?? 4 }
    private var evidenceSamples: Int { givenEvidenceSamples ?? 2000 }

    /// Whether something was said of the repair.
    private var saysRepair: Bool { repairing.isGiven || (givenEpochs ?? 0) > 0 }

    /// Refuses what says how to repair or to measure where neither is done.
    private func validateRepair() throws {
        guard data != nil || !saysRepair else {
            throw ValidationError(
                "--finetune-epochs, --learning-rate, --distillation and the like say how to repair, which needs --data"
            )
        }
        guard data != nil || givenEvidenceSamples == nil else {
            throw ValidationError("--evidence-samples are some of --data, which is not given")
        }
        guard finetuneEpochs > 0 || dryRun || !repairing.isGiven else {
            throw ValidationError(
                "--finetune-epochs 0 repairs nothing: leave out --learning-rate, --distillation and the like")
        }
        try repairing.check(epochs: finetuneEpochs)
    }

    private func validateMethod() throws {
        let name = method.method
        guard name != .criterion else { return }
        guard data != nil, finetuneEpochs > 0, !dryRun, plan == nil, !deadUnits else {
            throw ValidationError(
                "--method \(name.rawValue) finds out in training what goes, which needs --data and epochs: leave out --dry-run, --plan and --dead-units"
            )
        }
        guard schedule == .oneShot, regrowth == 0, request.allocation == nil else {
            throw ValidationError(
                "--method \(name.rawValue) has a schedule of its own: leave out --schedule, --regrowth and --allocation"
            )
        }
        let granularity = request.granularity ?? .element
        switch name {
        case .lagrangian where granularity == .channel || granularity == .element: break
        case .l0 where granularity == .channel: break
        case .rigl where granularity == .element, .set where granularity == .element: break
        default:
            throw ValidationError(
                "--method \(name.rawValue) does not go with \(granularity.rawValue) granularity")
        }
        if name.hasPrice {
            guard (method.lambda != nil) != request.saysHowFar else {
                throw ValidationError(
                    "--method \(name.rawValue) takes either --lambda or a target such as --max-macs")
            }
            guard granularity == .element || request.target.sparsity == nil else {
                throw ValidationError(
                    "--sparsity is not what channels are charged for: give --max-macs, --max-parameters or the like"
                )
            }
        }
    }

    func run() throws {
        do {
            try prune()
        } catch let error as PruningError {
            switch error {
            case .infeasible(let target, let nearest, let hint) where request.maxAccuracyDrop == nil:
                throw PruningError.infeasible(target: target, nearest: nearest, hint: hint + wayOut)
            case .planForAnotherModel, .planEntry: throw CommandFailure("\(plan ?? "the plan"): \(error)")
            case .allocationEntry, .allocationGranularity:
                throw CommandFailure("\(request.allocation ?? "the allocation"): \(error)")
            default: throw error
            }
        }
    }

    /// Which options would let more go, as a sentence; nothing if none would.
    private var wayOut: String {
        let sparesChannels = request.granularity == .channel && request.allocation == nil
        let keepsMore = (request.minimumKept ?? (sparesChannels ? 0.1 : 0)) > 0
        var options: [String] = []
        if keepsMore, request.granularity?.fixesShares != true { options.append("a smaller --minimum-kept") }
        if !(request.firstAndLast ?? !sparesChannels) { options.append("--first-and-last") }
        return options.isEmpty ? "" : " More can go with \(options.joined(separator: " and "))."
    }

    private func prune() throws {
        let recorder = try RunRecorder(
            "prune", common, writing: [output, checkpoint.checkpoint, dryRun ? plan : nil],
            reading: [model, EvidenceFile.path(beside: model), request.allocation, dryRun ? nil : plan],
            data: data)
        let given = try (dryRun ? nil : plan).map { path in
            try InputFile.read(path) { try PrunePlan(json: $0) }
        }
        let loaded = try LoadedModel(model)
        let parts = try data.map { source in
            common.console.status("reading \(source)")
            return try DataParts(
                source, options: try dataOptions.loadOptions(for: source, graph: loaded.graph))
        }
        if deadUnits, let parts { return try removeDeadUnits(recorder, loaded, parts) }
        let lane = try Lane(threads: common.threads)
        let inputShapes = try shapeOptions.inputShapes(of: loaded.graph)
        var latency = try request.targetLatency.map {
            try LatencyGoal($0, loaded.graph, parts, inputShapes: inputShapes, lane: lane, common: common)
        }
        // Without a target the layers are measured for their prices alone.
        let priced =
            try latency == nil && method.cost == .latency
            ? LatencyGoal(
                nil, loaded.graph, parts, inputShapes: inputShapes, lane: lane, common: common)
            : latency
        var pipeline = try pipeline(parts, lane: lane, latency: latency, latencyCost: priced?.target.cost)
        pipeline.inputShapes = inputShapes
        pipeline.recorded = try EvidenceFile.evidence(
            for: pipeline.request.criterion, of: loaded.graph, beside: model)
        // Without data, sizes that the model leaves open must be given.
        let opaque =
            parts == nil ? try shapeOptions.resolve(loaded, console: common.console).opaqueLabels : []
        let pipelineData = parts.map {
            PrunePipeline.Data(fit: $0.fit, validation: $0.validation, test: $0.test)
        }
        if latency != nil {
            common.console.status("approaching the latency")
            try latency?.approach(wayOut: wayOut) { target in
                var trial = pipeline
                trial.request = try request.request(seed: common.seed, latency: target)
                let planned = try trial.plan(loaded.graph, data: pipelineData)
                return (planned.receipt, planned.network)
            }
            pipeline.request = try request.request(seed: common.seed, latency: latency?.target)
        }
        let shortfall = latency?.shortfall
        if dryRun {
            let (plan, receipt, _) = try pipeline.plan(loaded.graph, data: pipelineData)
            if let path = self.plan {
                try OutputFile.write(String(decoding: try plan.json(), as: UTF8.self), to: path)
                common.console.status("wrote \(path)")
            }
            return try tell(
                recorder, loaded, parts, receipt: receipt, latency: latency?.record(receipt),
                shortfall: shortfall)
        }
        let outcome: PrunePipeline.Outcome
        if let drop = request.maxAccuracyDrop, let data = pipelineData {
            outcome = try smallest(pipeline, loaded.graph, data: data, losing: drop)
        } else {
            outcome = try execute(pipeline, loaded.graph, data: pipelineData, plan: given)
        }
        guard !outcome.isInterrupted else { throw Interruption.exitCode }
        guard let output else { return }
        let comparison = try ModelFile.write(
            outcome.graph, to: output, protecting: model, dataset: parts?.validation,
            inputShapes: pipeline.inputShapes, options: exportOptions, seed: common.seed)
        try tell(
            recorder, loaded, parts, receipt: outcome.receipt, outcome: outcome, comparison: comparison,
            latency: latency?.record(outcome.receipt, pruned: outcome.graph), shortfall: shortfall,
            opaque: opaque)
    }

    // MARK: Parts

    /// How the model is written.
    var exportOptions: ONNXExportOptions { ONNXExportOptions(usesSparseInitializers: sparseStorage) }

    private func pipeline(
        _ parts: DataParts?, lane: Lane, latency: LatencyGoal?, latencyCost: CostFunction?
    ) throws -> PrunePipeline {
        let repair = parts.map { parts in
            var repair = repairing.repair(
                epochs: finetuneEpochs, schedule: schedule, dataset: parts.fit, common: common)
            repair.regrowth = regrowth
            if method.method.hasPrice { repair.pruningShare = method.penaltyShare }
            return repair
        }
        var pipeline = PrunePipeline(
            request: try request.request(seed: common.seed, latency: latency?.target),
            repair: finetuneEpochs > 0 ? repair : nil, lane: lane)
        pipeline.method = try method.method(
            targets: pipeline.request.targets, latency: latencyCost)
        pipeline.evidenceSamples = evidenceSamples
        pipeline.seed = common.seed
        pipeline.checkpoints = checkpoint.checkpoint.map { CheckpointPolicy(path: $0) }
        pipeline.resumes = checkpoint.resume
        pipeline.willMeasureBatch = Interruption.check
        return pipeline
    }

    private func execute(
        _ pipeline: PrunePipeline, _ graph: Graph, data: PrunePipeline.Data?, plan: PrunePlan?
    ) throws -> PrunePipeline.Outcome {
        let progress = TrainingProgress("repair", console: common.console)
        defer { progress.finish() }
        return try pipeline.run(
            graph, data: data, plan: plan,
            observer: { event in
                switch event {
                case .stage(let name): common.console.status(name)
                case .training(let event): progress.show(event)
                }
            }, isCancelled: { Interruption.isRequested })
    }

    /// The smallest of several networks that loses no more accuracy.
    private func smallest(
        _ pipeline: PrunePipeline, _ graph: Graph, data: PrunePipeline.Data, losing drop: Double
    ) throws -> PrunePipeline.Outcome {
        let progress = TrainingProgress("repair", console: common.console)
        defer { progress.finish() }
        let cost = method.charged ?? .multiplyAccumulates
        let isElement = pipeline.request.granularity == .element
        let search = AccuracySearch(maximumDrop: drop, pipeline: pipeline) { kept in
            isElement ? .sparsity(1 - kept) : .maximum(cost, share: kept)
        }
        let found = try search.run(
            graph, data: data,
            tell: { kept, drop in
                progress.finish()
                common.console.status(
                    "\(Format.percent(kept)) kept: \(Format.fixed(100 * drop, 2)) points lost")
            },
            observer: { event in
                if case .training(let event) = event { progress.show(event) }
            }, isCancelled: { Interruption.isRequested })
        guard let found else { throw Interruption.exitCode }
        return found
    }

    // MARK: Telling

    private func tell(
        _ recorder: RunRecorder, _ loaded: LoadedModel, _ parts: DataParts?, receipt: Receipt,
        outcome: PrunePipeline.Outcome? = nil, comparison: OutputComparison? = nil,
        latency: RunRecord.Latency? = nil, shortfall: String? = nil, opaque: [String] = []
    ) throws {
        var record = recorder.record(model: loaded)
        record.data = parts?.description
        record.request = settings(receipt)
        record.requestedSparsity = request.target.sparsity
        record.achievedSparsity =
            receipt.targets.first { $0.kind == "sparsity" }?.achieved ?? receipt.achievedSparsity
        record.latency = latency
        record.prunableSparsity = receipt.prunableSparsity
        record.overallSparsity = receipt.achievedSparsity
        record.before = .init(receipt.before, evaluation: outcome?.before, split: "test", path: model)
        record.pruned = outcome?.pruned.map {
            .init(receipt.after, evaluation: $0, split: "validation", path: nil)
        }
        // Without an outcome nothing is written, and a file of that name would be another model.
        record.after = .init(
            receipt.after, evaluation: outcome?.after, split: "test", path: outcome == nil ? nil : output)
        record.layers = receipt.layers.map(RunRecord.Layer.init)
        record.epochs = outcome.map { $0.history.map(RunRecord.Epoch.init) }
        record.verification = comparison.map(RunRecord.Verification.init)
        record.verification?.surgeryMaxAbsoluteDifference = outcome?.surgery?.maxAbsoluteDifference
        if let shortfall { record.notes = [shortfall] }
        if comparison != nil, !opaque.isEmpty {
            record.notes =
                (record.notes ?? []) + [
                    "not run in the verification, only the parts around: " + opaque.joined(separator: ", ")
                ]
        }
        if let drop = outcome?.validationDrop {
            record.figures = ["validationAccuracyDrop": drop]
            record.request?.append(
                .init(
                    "accuracy drop",
                    "at most \(Format.percent(request.maxAccuracyDrop ?? 0)) of the validation data; found \(Format.percent(drop))"
                ))
        }
        record.outputs = outcome == nil ? nil : output.map { [$0] }
        common.console.result(ReceiptTable.table(receipt))
        common.console.result(ReceiptTable.facts(record, receipt: receipt))
        try common.deliver(record)
    }

    private func settings(_ receipt: Receipt) -> [RunRecord.Setting] {
        var settings: [RunRecord.Setting] = receipt.targets.map { target in
            let done = target.achieved.map { ", reached \(Format.percent($0))" } ?? ""
            return .init(target.kind, Format.percent(target.requested) + done)
        }
        settings.append(.init("granularity", receipt.granularity.rawValue))
        settings.append(.init("criterion", receipt.criterion))
        settings.append(.init("scope", receipt.scope))
        if data != nil, finetuneEpochs > 0 {
            if method.method != .criterion { settings.append(.init("method", method.description)) }
            settings.append(
                .init("schedule", schedule.rawValue + (regrowth > 0 ? ", regrowth \(regrowth)" : "")))
            settings.append(.init("repair", repairing.text(epochs: finetuneEpochs)))
        }
        return settings
    }
}

extension PrunePipeline.ScheduleKind: ExpressibleByArgument {}
