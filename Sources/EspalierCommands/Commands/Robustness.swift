import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierReports
import EspalierRobustness
import EspalierRuns
import EspalierTraining

/// What changes of inputs networks withstand, proven and tried, and what pruning does to that.
struct Robustness: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Lipschitz constants, certified radii and attacks; how pruning moves margins and constants.",
        discussion: """
            The first model is the one that the others are compared with: the dense one before those pruned from it. Of each, test \
            samples are certified (no change within a radius can make it err) and attacked (one that does is looked for). Radii are in \
            units of inputs from 0 to 1, before means are subtracted and deviations divided by.

            With --sparsities all models are dense ones, which the seeds take in turn: each criterion prunes them to each sparsity, they \
            are repaired as prune does it, and measured likewise. Every network is kept in the run store; the same command again, or with \
            more networks, criteria, sparsities or seeds, goes on from there, also after a kill.

            \(RobustnessOptions.explanation)

            EXAMPLE
              espalier robustness dense.onnx pruned.onnx --data fashion-mnist --report robustness.html
              espalier robustness dense.onnx --data fashion-mnist --norm l-infinity --sparsities 0.5,0.8,0.9,0.95 \
            --criterion magnitude,taylor --seeds 3 --threads 2
            """)

    @Argument(help: ArgumentHelp("Models; the dense one first.", valueName: "model.onnx"), completion: .onnx)
    var models: [String]

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @OptionGroup var robustness: RobustnessOptions

    @Option(
        help: ArgumentHelp(
            "Prune copies of the models: shares of the prunable parameters to remove.", valueName: "s1,s2,..."
        )
    )
    var sparsities: ShareList?

    @Option(
        help: ArgumentHelp(
            "What they are pruned by, separated by commas; see score --list.", valueName: "name,..."),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String = Magnitude.information.id

    @Option(help: ArgumentHelp("Runs of each, with the seeds from --seed on.", valueName: "n"))
    var seeds: Int = 3

    @Option(help: "What is removed at a time.")
    var granularity: Granularity = .element

    @Option(
        help: ArgumentHelp(
            "How layers share the removal: \(Scopes.all.map { $0.information.id }.joined(separator: ", ")).",
            valueName: "name"),
        completion: .list(Scopes.all.map { $0.information.id }))
    var scope: String = GlobalScope.information.id

    @Option(help: ArgumentHelp("Epochs of repair; 0 for none.", valueName: "n"))
    var finetuneEpochs: Int = 4

    @Option(help: "When the schedule removes: all at once before the repair, or in the course of it.")
    var schedule: PrunePipeline.ScheduleKind = .oneShot

    @OptionGroup var repairing: RepairOptions

    @Option(help: ArgumentHelp("Training samples that importance is measured on.", valueName: "n"))
    var evidenceSamples: Int = 2000

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !models.isEmpty else { throw ValidationError("name a model") }
        guard seeds > 0, evidenceSamples > 0, finetuneEpochs >= 0 else {
            throw ValidationError(
                "--seeds and --evidence-samples must be positive, and --finetune-epochs not negative")
        }
        guard sparsities != nil else { return }
        guard models.count <= seeds else {
            throw ValidationError("there are \(models.count) models for --seeds \(seeds): each needs a seed")
        }
        guard !granularity.fixesShares else {
            throw ValidationError(
                "--granularity \(granularity.rawValue) leaves nothing for --sparsities to say")
        }
        guard schedule == .oneShot || finetuneEpochs > 0 else {
            throw ValidationError(
                "--schedule \(schedule.rawValue) prunes in the course of the repair, which needs --finetune-epochs"
            )
        }
        guard Scopes.all.contains(where: { $0.information.id == scope }) else {
            throw ValidationError(
                "--scope \(scope) is none of \(Scopes.all.map { $0.information.id }.joined(separator: ", "))")
        }
        _ = try criteria()
    }

    func run() throws {
        let recorder = try RunRecorder("robustness", common)
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let loaded = try models.map { try LoadedModel($0) }
        common.console.status("reading \(data)")
        let parts = try DataParts(
            data, options: try dataOptions.loadOptions(for: data, graph: loaded.first?.graph))
        guard case .classes = parts.fit.labels else {
            throw CommandFailure("\(data) has no classes: robustness is that of the class told")
        }
        var record = recorder.record(model: nil)
        record.data = parts.description
        let experiment = try experiment(loaded, parts, template: record)
        let outcome = try common.run(experiment.trials(), of: experiment.experiment, in: store)
        record = recorder.record(model: loaded.first)
        record.data = parts.description
        let results = try experiment.results(outcome.records)
        let contradictions = RobustnessExperiment.contradictions(outcome.records)
        record.robustness = results
        record.samples = results.samples
        record.accuracy = results.networks.first?.accuracy
        record.request = settings(experiment)
        record.refusals = refusals(outcome, results)
        record.notes = contradictions.isEmpty ? nil : contradictions.map { "Unsound certificate: \($0)" }
        RobustnessTable.tell(results, refusals: record.refusals ?? [], on: common.console)
        try common.deliver(record, as: RobustnessDocument(record), storing: false)
        try outcome.check()
        guard contradictions.isEmpty else { throw CommandFailure(Self.alarm(contradictions)) }
    }

    /// An attack within a proven radius is an error of this program, and the user must not believe its certificates.
    private static func alarm(_ contradictions: [String]) -> String {
        """
        \(contradictions.count) certificates are wrong: attacks succeed where they say that none can. Do not rely on them, and \
        please report this with the model. The first: \(contradictions[0])
        """
    }

    // MARK: Parts

    /// Trials that failed, and what of the networks could not be certified.
    private func refusals(
        _ outcome: TrialOutcome, _ results: RunRecord.Robustness
    ) -> [RunRecord.Refusal]? {
        let ofNetworks = results.networks.flatMap { network in
            (network.refusals ?? []).map {
                RunRecord.Refusal(name: "\(network.name), \($0.name)", reason: $0.reason)
            }
        }
        let all = (outcome.refusals ?? []) + ofNetworks
        return all.isEmpty ? nil : all
    }

    private func criteria() throws -> [String] {
        try CriterionNames.names(criterion, of: "--criterion", for: granularity)
    }

    private func experiment(
        _ loaded: [LoadedModel], _ parts: DataParts, template: RunRecord
    ) throws -> RobustnessExperiment {
        let given = loaded.map { GivenNetwork(path: $0.path, graph: $0.graph) }
        let data = PrunePipeline.Data(fit: parts.fit, validation: parts.validation, test: parts.test)
        let networks: RobustnessExperiment.Networks
        if let sparsities {
            var comparison = CriteriaComparison(
                .given(given), data: data, criteria: try criteria(), sparsities: sparsities.values,
                seeds: (0..<UInt64(seeds)).map { common.seed &+ $0 },
                request: PruningRequest(granularity, targets: [], scope: try Scopes.scope(scope)),
                repair: finetuneEpochs > 0
                    ? repairing.repair(
                        epochs: finetuneEpochs, schedule: schedule, dataset: parts.fit, common: common) : nil,
                template: template)
            comparison.evidenceSamples = evidenceSamples
            networks = .pruned(comparison)
        } else {
            networks = .given(given)
        }
        return try RobustnessExperiment(
            networks, measurement: robustness.measurement(seed: common.seed), data: data, template: template)
    }

    private func settings(_ experiment: RobustnessExperiment) -> [RunRecord.Setting] {
        var settings: [RunRecord.Setting] = [
            .init("norm", robustness.norm.rawValue), .init("samples", "\(experiment.samples.sampleCount)"),
            .init(
                "pgd", "\(robustness.steps) steps, \(robustness.restarts) random starts"),
        ]
        if sparsities != nil {
            settings += [
                .init("granularity", granularity.rawValue), .init("scope", scope),
                .init("seeds", "\(seeds), from \(common.seed)"),
            ]
            if finetuneEpochs > 0 {
                settings.append(.init("schedule", schedule.rawValue))
                settings.append(.init("repair", repairing.text(epochs: finetuneEpochs)))
            }
        }
        settings.append(.init("experiment", String(experiment.experiment.hash.prefix(8))))
        return settings
    }
}

/// What `robustness --json` prints: the record, which has all networks, and beside it what was found of the first.
private struct RobustnessDocument: Encodable {
    private let record: RunRecord

    init(_ record: RunRecord) { self.record = record }

    private enum CodingKeys: String, CodingKey {
        case lipschitz, layers, certified, attacked
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        let first = record.robustness?.networks.first
        try container.encodeIfPresent(first?.lipschitz, forKey: .lipschitz)
        try container.encodeIfPresent(first?.layers, forKey: .layers)
        try container.encodeIfPresent(first?.certified, forKey: .certified)
        try container.encodeIfPresent(first?.attacked, forKey: .attacked)
    }
}
