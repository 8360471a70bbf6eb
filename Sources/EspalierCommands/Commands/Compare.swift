import ArgumentParser
import Espalier
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining

/// Prunes the same networks by several criteria, to several sparsities, with several seeds.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares criteria: accuracy against sparsity, over seeds, with or without repair.",
        discussion: """
            Give models of one architecture, trained with different seeds, which the seeds of the comparison take in turn; or \
            --arch, and a network is trained for each seed. Every criterion then removes every share of the weights or \
            channels from every network. Accuracies in the table are of the test data, each network's read once; choose by \
            those of the validation data, which --json and --csv tell too. Differences from the first criterion are paired \
            by seed.

            Every run is kept in the run store. The same command again, or with more criteria, sparsities or seeds, goes on \
            from there, also after a kill.

            EXAMPLE
              espalier compare --arch lenet-5 --data fashion-mnist --criteria magnitude,saliency,random \
            --sparsities 0.5,0.8,0.9,0.95 --seeds 3 --threads 2
              espalier compare a.onnx b.onnx c.onnx --data digits --criteria all --sparsities 0.9 --finetune-epochs 1 \
            --csv curves.csv --report curves.html
            """)

    @Argument(help: ArgumentHelp("Models, without --arch.", valueName: "model.onnx"), completion: .onnx)
    var models: [String] = []

    @Option(
        help: ArgumentHelp("The architecture to train; see train --help.", valueName: "name"),
        completion: .list(Architectures.all.map(\.name)))
    var arch: String?

    @Option(
        name: .customLong("epochs"),
        help: ArgumentHelp("Epochs that networks of --arch are trained for; without it 8.", valueName: "n"))
    var givenEpochs: Int?

    @Option(
        name: .customLong("activation"),
        help: "The function between layers of networks of --arch; without it relu.")
    var givenActivation: Activation?

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(
        help: ArgumentHelp("Criteria, separated by commas, or all; see score --list.", valueName: "name,..."),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criteria: String

    @Option(
        help: ArgumentHelp("Shares of the prunable parameters to remove.", valueName: "s1,s2,..."),
        transform: ShareList.belowOne)
    var sparsities: ShareList

    @Flag(
        inversion: .prefixedNo,
        help:
            "Prune the first and the last layer too, or not; without either they are spared only where channels are cut."
    )
    var firstAndLast: Bool?

    @OptionGroup var scoring: ScoringOptions<ScoresToPrune>

    @Option(
        help: ArgumentHelp("Epochs of repair; 0 compares what is left right after pruning.", valueName: "n"))
    var finetuneEpochs: Int = 0

    @OptionGroup var sweep: SweepOptions

    @Option(
        help: ArgumentHelp(
            "Also write a line for each run, as comma-separated values.", valueName: "file.csv"),
        completion: .file(extensions: ["csv"]))
    var csv: String?

    @OptionGroup var common: TrialOptions

    func validate() throws {
        guard models.isEmpty != (arch == nil) else {
            throw ValidationError("name models, or an architecture with --arch")
        }
        if let arch, Architectures.named(arch) == nil {
            throw ValidationError(
                "--arch \(arch) is none of \(Architectures.all.map(\.name).joined(separator: ", "))")
        }
        guard arch != nil || (givenEpochs == nil && givenActivation == nil) else {
            throw ValidationError(
                "--epochs and --activation are for networks of --arch: models are taken as they are")
        }
        guard epochs > 0 else { throw ValidationError("--epochs must be positive") }
        try sweep.check(models: models.count, epochs: finetuneEpochs)
        if criteria != "all" { _ = try names() }
    }

    func run() throws {
        let recorder = try RunRecorder(
            "compare", common, writing: [csv],
            reading: models + models.map { EvidenceFile.path(beside: $0) }, data: data)
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let loaded = try models.map { try LoadedModel($0) }
        try LoadedModel.checkAlike(loaded)
        common.console.status("reading \(data)")
        let parts = try DataParts(
            data, options: try dataOptions.loadOptions(for: data, models: loaded))
        guard case .classes = parts.fit.labels else {
            throw CommandFailure("\(data) has no classes: what is compared is the accuracy")
        }
        var record = recorder.record(model: nil)
        record.data = parts.description
        let comparison = try comparison(loaded, parts, template: record)
        let outcome = try common.run(comparison.trials(), of: comparison.experiment, in: store)
        record = recorder.record(model: nil)
        record.data = parts.description
        record.model = .init(name: arch ?? loaded.map(\.name).first ?? "")
        record.request = settings(comparison)
        record.curves = comparison.curves(outcome.records)
        record.accuracy = comparison.denseAccuracy(outcome.records)?.mean
        record.figures = comparison.denseAccuracy(outcome.records)?.standardDeviation.map {
            ["denseDeviation": $0]
        }
        record.refusals = outcome.refusals
        record.outputs = csv.map { [$0] }
        if let csv {
            try OutputFile.write(ComparisonTable.csv(comparison.runs(outcome.records)), to: csv)
            common.console.status("wrote \(csv)")
        }
        ComparisonTable.tell(record, on: common.console)
        try common.deliver(record)
        try outcome.check()
    }

    // MARK: Parts

    private var epochs: Int { givenEpochs ?? 8 }
    private var activation: Activation { givenActivation ?? .relu }

    /// All criteria that score what is to be removed, have something to score in the networks and, where they look back at
    /// training, find what they need beside the models.
    private func allNames(_ loaded: [LoadedModel], _ parts: DataParts) throws -> [String] {
        var graphs = loaded.map(\.graph)
        if let arch, let architecture = Architectures.named(arch) {
            let options = try parts.fit.architectureOptions(activation: activation, name: arch)
            graphs.append(try architecture.graph(options))
        }
        let pruners = try graphs.map {
            try Pruner($0, inputShapes: InputBinding($0, parts.fit).shapes(batchSize: 1))
        }
        return Criteria.all.filter { type in
            type.granularities.contains(sweep.granularity.kind)
                && pruners.allSatisfy { applies(type.init(seed: 0), to: $0) }
                && loaded.allSatisfy { model in
                    (try? EvidenceFile.evidence(
                        for: type.init(seed: 0), of: model.graph, beside: model.path)) != nil
                }
        }.map { $0.information.id }
    }

    /// Whether a criterion that needs nothing but the network scores anything in it: without batch norm there are no scales.
    /// What others score shows only with their evidence.
    private func applies(_ criterion: any Criterion, to pruner: Pruner) -> Bool {
        guard criterion.requiredEvidence.isEmpty else { return true }
        do throws(PruningError) {
            _ = try pruner.plan(
                PruningRequest(sweep.granularity, targets: [.sparsity(0)], criterion: criterion))
        } catch .nothingToPrune {
            return false
        } catch {
            return true
        }
        return true
    }

    private func names() throws -> [String] {
        try CriterionNames.names(criteria, of: "--criteria", for: sweep.granularity)
    }

    private func comparison(
        _ loaded: [LoadedModel], _ parts: DataParts, template: RunRecord
    ) throws -> CriteriaComparison {
        let networks: CriteriaComparison.Networks
        if let arch {
            networks = .trained(
                architecture: arch,
                options: try parts.fit.architectureOptions(activation: activation, name: arch),
                recipe: sweep.repairing.recipe(
                    epochs: epochs, schedule: RateScheduleName(type: OneCycle.self), dataset: parts.fit,
                    common: common))
        } else {
            networks = .given(loaded.map { .init(path: $0.path, graph: $0.graph) })
        }
        var comparison = CriteriaComparison(
            networks, data: .init(fit: parts.fit, validation: parts.validation, test: parts.test),
            criteria: try criteria == "all" ? allNames(loaded, parts) : names(),
            sparsities: sparsities.values,
            seeds: sweep.seeds(common),
            request: PruningRequest(
                sweep.granularity, targets: [], scope: sweep.scope,
                prunesFirstAndLast: firstAndLast, normalization: scoring.normalization,
                aggregation: scoring.aggregation),
            repair: sweep.repair(epochs: finetuneEpochs, dataset: parts.fit, common: common),
            template: template)
        comparison.evidenceSamples = sweep.evidenceSamples
        return comparison
    }

    private func settings(_ comparison: CriteriaComparison) -> [RunRecord.Setting] {
        var settings = sweep.settings(epochs: finetuneEpochs, common: common)
        settings.append(.init("experiment", String(comparison.experiment.hash.prefix(8))))
        return settings
    }
}
