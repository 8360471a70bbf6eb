import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierLottery
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTraining
import Foundation

/// Looks for lottery tickets, beside controls.
struct Lottery: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Finds lottery tickets: prunes in rounds, rewinds, trains; beside controls, and against the dense network.",
        discussion: """
            Trains a network for each seed, prunes a share of its weights, puts those that are left back to what they were before \
            training (or at the step --rewind), trains them for as long, and so on, --rounds times. Other methods train as many weights \
            that lack one thing that a ticket has.

            A network matches the dense one if the hypothesis that it loses 0.2 points of accuracy or more on the test data is \
            rejected at 5 % (paired over seeds, Holm-corrected over rounds). The early stop is the step with the least loss on the \
            validation data, measured every --evaluate-every steps.

            Give a model that is not trained yet in place of --arch; seeds then decide on the order of samples only. Every network is \
            kept in the run store. The same command again, or with more rounds, methods or seeds, goes on from there, also after a kill.

            METHODS
            \(LotteryExperiment.Method.allCases.map { "  \($0.rawValue): \($0.explanation)" }.joined(separator: "\n"))

            EXAMPLE
              espalier lottery --arch lenet-300-100 --data fashion-mnist --rounds 15 --seeds 5 --threads 2 \
            --report lottery.html
            """)

    @Argument(
        help: ArgumentHelp("A model that is not trained, without --arch.", valueName: "model.onnx"),
        completion: .onnx)
    var model: String?

    @Option(
        help: ArgumentHelp("The architecture to train; see train --help.", valueName: "name"),
        completion: .list(Architectures.all.map(\.name)))
    var arch: String?

    @Option(
        name: .customLong("activation"),
        help: "The function between layers of networks of --arch; without it relu.")
    var givenActivation: Activation?

    @Option(
        name: .customLong("initialization"),
        help: "How weights of networks of --arch are drawn; without it glorot.")
    var givenInitialization: Initialization?

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("How often is pruned.", valueName: "n"))
    var rounds: Int = 12

    @Option(
        help: ArgumentHelp("Share that a round removes of fully connected layers.", valueName: "share"))
    var pruneRate: Double = 0.2

    @Option(
        help: ArgumentHelp("Share of convolutions; without it half of --prune-rate.", valueName: "share"))
    var convolutionRate: Double?

    @Option(
        help: ArgumentHelp("Share of the output layer; without it half of --prune-rate.", valueName: "share"))
    var outputRate: Double?

    @Flag(
        help:
            "Remove --prune-rate of all weights together, the least important first, and not of each layer: usual for residual networks."
    )
    var global = false

    @Option(
        help: ArgumentHelp(
            "The step that weights are put back to; 0 for their first values.", valueName: "step"))
    var rewind: Int = 0

    @Option(
        help: ArgumentHelp("What trained networks are pruned by; see score --list.", valueName: "name"),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String = Magnitude.information.id

    @Option(
        help: ArgumentHelp(
            "Methods, separated by commas, or all; see above; without it \(Self.usualMethods.text).",
            valueName: "name,..."),
        transform: NameList<LotteryExperiment.Method>.read)
    var methods = Self.usualMethods

    @Option(
        help: ArgumentHelp(
            "Try methods other than winning only at the rounds that leave about so much; without it at all.",
            valueName: "s1,s2,..."),
        transform: ShareList.belowOne)
    var othersAt: ShareList?

    @Option(help: ArgumentHelp("Runs of each, with the seeds from --seed on.", valueName: "n"))
    var seeds: Int = 3

    @Option(help: ArgumentHelp("Times through the training data, each round.", valueName: "n"))
    var epochs: Int = 8

    @Option(
        help: ArgumentHelp("Steps between two measurements of the validation loss.", valueName: "n"))
    var evaluateEvery: Int = 100

    @Option(help: "The learning rate over time.")
    var schedule = RateScheduleName(type: ConstantRate.self)

    @OptionGroup var training: TrainingOptions<TicketTraining>

    @Option(help: ArgumentHelp("Training samples that importance is measured on.", valueName: "n"))
    var evidenceSamples: Int = 2000

    @OptionGroup var common: TrialOptions

    private static let usualMethods = NameList<LotteryExperiment.Method>([
        .winning, .reinitialized, .randomMask, .shuffled, .signs,
    ])

    func validate() throws {
        guard (model == nil) != (arch == nil) else {
            throw ValidationError("name a model, or an architecture with --arch")
        }
        if let arch, Architectures.named(arch) == nil {
            throw ValidationError(
                "--arch \(arch) is none of \(Architectures.all.map(\.name).joined(separator: ", "))")
        }
        guard arch != nil || (givenActivation == nil && givenInitialization == nil) else {
            throw ValidationError(
                "--activation and --initialization are for networks of --arch: a model is taken as it is")
        }
        guard rounds > 0, seeds > 0, epochs > 0, evaluateEvery > 0, evidenceSamples > 0 else {
            throw ValidationError(
                "--rounds, --seeds, --epochs, --evaluate-every and --evidence-samples must be positive")
        }
        try training.check(epochs: epochs, schedule: schedule)
        guard rewind >= 0 else { throw ValidationError("--rewind must not be negative") }
        for rate in [pruneRate, convolutionRate, outputRate].compactMap({ $0 })
        where !(rate > 0 && rate < 1) {
            throw ValidationError("rates of pruning are between 0 and 1, not \(rate)")
        }
        guard !global || (convolutionRate == nil && outputRate == nil) else {
            throw ValidationError("--global has one rate: --prune-rate")
        }
        try validateOthers()
        try CriterionNames.check(criterion, of: "--criterion", for: .element)
        let journey = JourneyRecorder.Quantity.allCases.map(\.kind)
        guard try Criteria.criterion(criterion).requiredEvidence.isDisjoint(with: journey) else {
            throw ValidationError(
                "--criterion \(criterion) looks back at training, which is not recorded here")
        }
    }

    /// Refuses shares that no network is left with after so many rounds, whatever its layers are.
    private func validateOthers() throws {
        guard let share = othersAt?.values.first else { return }
        let rate = [pruneRate, convolutionRate, outputRate].compactMap { $0 }.max() ?? pruneRate
        let least = pow(1 - rate, Double(rounds))
        // Another round would come nearer.
        guard share >= least * (1 - rate / 2) else {
            throw ValidationError(
                "--others-at \(share) is out of reach: --rounds \(rounds) leave \(Format.percent(least)) or more"
            )
        }
    }

    func run() throws {
        let recorder = try RunRecorder("lottery", common, reading: [model], data: data)
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let loaded = try model.map { try LoadedModel($0) }
        common.console.status("reading \(data)")
        let parts = try DataParts(data, options: try dataOptions.loadOptions(for: data, graph: loaded?.graph))
        guard case .classes = parts.fit.labels else {
            throw CommandFailure("\(data) has no classes: what is compared is the accuracy")
        }
        var record = recorder.record(model: loaded)
        record.data = parts.description
        let experiment = try experiment(loaded, parts, template: record)
        let outcome = try common.run(experiment.trials(), of: experiment.experiment, in: store)
        record = recorder.record(model: loaded)
        record.data = parts.description
        if let arch { record.model = .init(name: arch) }
        let results = try experiment.results(
            outcome.records, files: store.finishedTrials(of: experiment.experiment.hash))
        record.rounds = results.rounds
        record.lottery = results.lottery
        record.request = settings(experiment)
        record.refusals = outcome.refusals
        LotteryTable.tell(results.rounds, results.lottery, on: common.console)
        try common.deliver(record)
        try outcome.check()
    }

    // MARK: Parts

    private var activation: Activation { givenActivation ?? .relu }
    private var initialization: Initialization { givenInitialization ?? .glorot }

    private func experiment(
        _ loaded: LoadedModel?, _ parts: DataParts, template: RunRecord
    ) throws -> LotteryExperiment {
        let networks: LotteryExperiment.Networks
        if let loaded {
            networks = .given(.init(path: loaded.path, graph: loaded.graph))
        } else {
            var options = try parts.fit.architectureOptions(activation: activation, name: arch ?? "")
            options.initialization = initialization
            networks = .fresh(architecture: arch ?? "", options: options)
        }
        let recipe = training.recipe(epochs: epochs, schedule: schedule, dataset: parts.fit, common: common)
        let rates = PruningRates(dense: pruneRate, convolution: convolutionRate, output: outputRate)
        var experiment = LotteryExperiment(
            networks, data: .init(fit: parts.fit, validation: parts.validation, test: parts.test),
            // Tickets are found in any case.
            methods: [.winning] + methods.values.filter { $0 != .winning }, rounds: rounds,
            share: global ? .global(pruneRate) : .layerwise(rates), rewindStep: rewind, recipe: recipe,
            evaluationInterval: evaluateEvery, criterion: criterion,
            seeds: (0..<UInt64(seeds)).map { common.seed &+ $0 }, template: template)
        experiment.evidenceSamples = evidenceSamples
        if let othersAt { experiment.otherRounds = try experiment.rounds(leaving: othersAt.values) }
        return experiment
    }

    private func settings(_ experiment: LotteryExperiment) -> [RunRecord.Setting] {
        let rates: String =
            switch experiment.share {
            case .global(let rate): "\(rate) of all weights"
            case .layerwise(let rates):
                "\(rates.dense) of dense layers, \(rates.convolution) of convolutions, \(rates.output) of the output layer"
            }
        return [
            .init("rounds", "\(rounds), each removing \(rates)"),
            .init("criterion", criterion),
            .init("rewound to", rewind == 0 ? "the initial weights" : "step \(rewind)"),
            .init("seeds", "\(seeds), from \(common.seed)"),
            .init(
                "training",
                "\(epochs) epochs of \(training.optimizer.type.name), batch \(experiment.recipe.batchSize)"),
            .init("experiment", String(experiment.experiment.hash.prefix(8))),
        ]
    }
}

extension Initialization: ExpressibleByArgument {}

extension LotteryExperiment.Method: NamedChoice {}
