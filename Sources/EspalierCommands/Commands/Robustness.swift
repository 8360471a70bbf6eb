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
        ), transform: ShareList.belowOne)
    var sparsities: ShareList?

    @Option(
        help: ArgumentHelp(
            "What they are pruned by, separated by commas; see score --list; without it \(Magnitude.information.id).",
            valueName: "name,..."),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String?

    @Option(
        name: .customLong("finetune-epochs"),
        help: ArgumentHelp("Epochs of repair, 0 for none; without it 4.", valueName: "n"))
    var givenEpochs: Int?

    @OptionGroup var sweep: SweepOptions

    @OptionGroup var common: TrialOptions

    func validate() throws {
        guard !models.isEmpty else { throw ValidationError("name a model") }
        guard sparsities != nil else {
            guard criterion == nil, givenEpochs == nil, !sweep.isGiven else {
                throw ValidationError(
                    "without --sparsities nothing is pruned: leave out --criterion, --seeds, --finetune-epochs and the like"
                )
            }
            return
        }
        try sweep.check(models: models.count, epochs: finetuneEpochs)
        _ = try criteria()
    }

    func run() throws {
        let recorder = try RunRecorder(
            "robustness", common, reading: models + models.map { EvidenceFile.path(beside: $0) }, data: data)
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let loaded = try models.map { try LoadedModel($0) }
        // Points of a sweep are means over the models; without one these are compared, whatever they are.
        if sparsities != nil { try LoadedModel.checkAlike(loaded) }
        common.console.status("reading \(data)")
        let parts = try DataParts(
            data, options: try dataOptions.loadOptions(for: data, models: loaded))
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
        try common.deliver(record, as: RobustnessDocument(record))
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

    private var finetuneEpochs: Int { givenEpochs ?? 4 }

    private func criteria() throws -> [String] {
        try CriterionNames.names(
            criterion ?? Magnitude.information.id, of: "--criterion", for: sweep.granularity)
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
                seeds: sweep.seeds(common),
                request: PruningRequest(sweep.granularity, targets: [], scope: sweep.scope),
                repair: sweep.repair(epochs: finetuneEpochs, dataset: parts.fit, common: common),
                template: template)
            comparison.evidenceSamples = sweep.evidenceSamples
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
        if sparsities != nil { settings += sweep.settings(epochs: finetuneEpochs, common: common) }
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
