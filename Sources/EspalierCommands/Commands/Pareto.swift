import ArgumentParser
import Espalier
import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierSearch
import EspalierTraining
import Foundation

/// Traces what a network's accuracy costs, and chooses a point.
struct Pareto: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Traces the trade-off between accuracy and cost, and chooses a network within conditions.",
        discussion: """
            Each method makes --points networks of different sizes, all with the same number of epochs. Those that no other is \
            better than are the front; it is made by the accuracy on the validation data, and the test data are read once for \
            each network. --choose takes the best network of the front within conditions, such as "accuracy-drop<=0.5%" or \
            "macs<=0.5, parameters<=0.3", and --output writes it.

            Give several models of one architecture, trained with different seeds, to compare methods: the seeds take them in \
            turn, and volumes of fronts, on the test data, come with intervals paired by seed.

            Every network is kept in the run store. The same command again, or with more points, methods or seeds, goes on \
            from there, also after a kill.

            METHODS
            \(ParetoSearch.Method.allCases.map { "  \($0.rawValue): \($0.explanation)" }.joined(separator: "\n"))

            EXAMPLE
              espalier pareto dense.onnx --data fashion-mnist --points 8 --threads 2 --choose "accuracy-drop<=0.5%" \
            -o slim.onnx --report front.html
            """)

    @Argument(help: ArgumentHelp("The models.", valueName: "model.onnx"), completion: .onnx)
    var models: [String]

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Networks of each method.", valueName: "n"))
    var points: Int = 8

    @Option(
        help: ArgumentHelp(
            "Methods, separated by commas, or all; see above; without it \(Self.usualMethods.text).",
            valueName: "name,..."),
        transform: NameList<ParetoSearch.Method>.read)
    var methods = Self.usualMethods

    @Option(
        help: ArgumentHelp(
            "Prices of the whole cost, in nats of loss, instead of --points.", valueName: "l1,l2,..."))
    var lambdas: PositiveList?

    @Option(
        help: ArgumentHelp(
            "Shares of the cost to keep at most, instead of --points.", valueName: "s1,s2,..."),
        transform: ShareList.belowOne)
    var budgets: ShareList?

    @Option(help: "What is charged for, and what budgets are in.")
    var cost = ChargedCost.macs

    @Option(
        help: ArgumentHelp(
            "What is wanted small besides the accuracy drop: one or two of macs, parameters, bytes, latency, lipschitz (an upper bound of how far the outputs can move, in l2); without it what --cost says. The last two are measured when all is done.",
            valueName: "name,..."),
        transform: NameList<Objective>.oneOrTwo)
    var objectives: NameList<Objective>?

    @Option(help: ArgumentHelp("Runs of each, with the seeds from --seed on.", valueName: "n"))
    var seeds: Int?

    @Option(
        help: ArgumentHelp("How one-shot measures importance; see prune --help.", valueName: "name"),
        completion: .list(Criteria.all.map { $0.information.id }))
    var criterion: String = Magnitude.information.id

    @Option(
        help: ArgumentHelp("How iterative measures importance.", valueName: "name"),
        completion: .list(Criteria.all.map { $0.information.id }))
    var iterativeCriterion: String = EmpiricalFisher.information.id

    @Option(name: .customLong("granularity"), help: "What is removed at a time.")
    var granularityName = GranularityName<WeightsOrChannels>(.channel)

    @Option(
        help: ArgumentHelp(
            "A layer to leave alone, by name; * fits anything. Repeatable.", valueName: "pattern"))
    var keep: [String] = []

    @Flag(
        inversion: .prefixedNo,
        help:
            "Prune the first and the last layer too, or not; without either they are spared only where channels are cut."
    )
    var firstAndLast: Bool?

    @Option(help: ArgumentHelp("Epochs of each network, penalty and repair together.", valueName: "n"))
    var finetuneEpochs: Int = 4

    @Option(help: ArgumentHelp("Share of the epochs that train under a penalty.", valueName: "share"))
    var penaltyShare: Double = 0.25

    @Option(
        help: ArgumentHelp(
            "Epochs of from-scratch: those of the models' own training and of the repair together would be fair.",
            valueName: "n"))
    var scratchEpochs: Int = 12

    @OptionGroup var repairing: RepairOptions

    @Option(
        help: ArgumentHelp(
            "Conditions to choose a network by, such as \"accuracy-drop<=0.5%\".", valueName: "conditions"))
    var choose: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to write the chosen model.", valueName: "model.onnx"),
        completion: .onnx)
    var output: String?

    @OptionGroup var common: TrialOptions

    private static let usualMethods = NameList<ParetoSearch.Method>([.lagrangian, .budget])

    func validate() throws {
        guard !models.isEmpty else { throw ValidationError("name a model") }
        guard points > 1 else { throw ValidationError("--points must be 2 or more") }
        if let seeds, seeds < max(1, models.count) {
            throw ValidationError("there are \(models.count) models for --seeds \(seeds): each needs a seed")
        }
        guard lambdas == nil || methods.values.contains(.lagrangian) else {
            throw ValidationError("--lambdas are the prices of lagrangian, which --methods does not name")
        }
        guard budgets == nil || methods.values != [.lagrangian] else {
            throw ValidationError(
                "--budgets are for other methods: lagrangian has prices, which --lambdas gives")
        }
        guard
            granularity == .channel || !methods.values.contains(where: { $0 == .gates || $0 == .fromScratch })
        else { throw ValidationError("l0 and from-scratch go with channel granularity") }
        guard !methods.values.contains(.fromScratch) || methods.values.contains(.budget) else {
            throw ValidationError("from-scratch trains what budget finds: name both in --methods")
        }
        guard finetuneEpochs > 1, scratchEpochs > 0 else {
            throw ValidationError("--finetune-epochs must be 2 or more, --scratch-epochs positive")
        }
        try repairing.check(epochs: finetuneEpochs)
        guard penaltyShare > 0, penaltyShare < 1 else {
            throw ValidationError("--penalty-share must be above 0 and below 1")
        }
        try CriterionNames.check(criterion, of: "--criterion", for: granularity)
        try CriterionNames.check(iterativeCriterion, of: "--iterative-criterion", for: granularity)
        guard output == nil || choose != nil else {
            throw ValidationError("--output writes the network that --choose chooses")
        }
        _ = try conditions()
    }

    func run() throws {
        let recorder = try RunRecorder("pareto", common, writing: [output], reading: models, data: data)
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let loaded = try models.map { try LoadedModel($0) }
        try LoadedModel.checkAlike(loaded)
        common.console.status("reading \(data)")
        let parts = try DataParts(
            data, options: try dataOptions.loadOptions(for: data, models: loaded))
        guard case .classes = parts.fit.labels else {
            throw CommandFailure("\(data) has no classes: what is traded is the accuracy")
        }
        var record = recorder.record(model: loaded.first)
        record.data = parts.description
        let search = try search(loaded, parts, template: record)
        let outcome = try common.run(search.trials(), of: search.experiment, in: store)
        // Where nothing was found, why is all there is to tell.
        if search.points(outcome.records).isEmpty { try outcome.check() }
        record = recorder.record(model: loaded.first)
        record.data = parts.description
        let front = try search.front(
            outcome.records, measured: measured(outcome, search, store), choosing: conditions())
        record.front = front.front
        record.dominated = front.dominated
        record.hypervolume = front.hypervolume
        record.trade = front.trade
        record.chosen = front.chosen
        record.request = settings(search)
        record.refusals = outcome.refusals
        FrontTable.tell(front, on: common.console)
        if let chosen = front.chosen, let output {
            try write(chosen, of: search, store: store, to: output)
            record.outputs = [output]
        }
        try common.deliver(record)
        if let miss = front.miss { throw CommandFailure(miss) }
        try outcome.check()
    }

    // MARK: Parts

    private var granularity: Granularity { granularityName.granularity }

    private func conditions() throws -> [Condition]? {
        do {
            return try choose.map { try Condition.parse($0, known: [.accuracyDrop] + wanted) }
        } catch let error as ConditionError {
            throw ValidationError("--choose: \(error)")
        }
    }

    private var wanted: [Objective] { objectives?.values ?? [cost.objective] }

    private func search(
        _ loaded: [LoadedModel], _ parts: DataParts, template: RunRecord
    ) throws -> ParetoSearch {
        let repair = repairing.repair(epochs: finetuneEpochs, dataset: parts.fit, common: common)
        let count = seeds ?? models.count
        var search = ParetoSearch(
            loaded.map { GivenNetwork(path: $0.path, graph: $0.graph) },
            data: .init(fit: parts.fit, validation: parts.validation, test: parts.test),
            methods: methods.values, lambdas: lambdas?.values ?? prices(parts.fit),
            budgets: budgets?.values.reversed() ?? [], cost: cost.function,
            costs: wanted, seeds: (0..<UInt64(count)).map { common.seed &+ $0 },
            request: PruningRequest(
                granularity, targets: [], criterion: try Criteria.criterion(criterion, seed: common.seed),
                keep: keep.map { NamePattern($0) }, prunesFirstAndLast: firstAndLast),
            iterativeCriterion: iterativeCriterion, repair: repair,
            scratch: repairing.recipe(
                epochs: scratchEpochs, schedule: RateScheduleName(type: OneCycle.self), dataset: parts.fit,
                common: common),
            template: template)
        let least = try search.leastBudget()
        if let refused = search.budgets.first(where: { $0 < least }) {
            let kept = granularity == .channel ? " and every other keeps a tenth" : ""
            let wayOut =
                firstAndLast ?? (granularity != .channel) ? "" : "; --first-and-last leaves fewer alone"
            throw CommandFailure(
                "a budget of \(refused) of the \(cost.rawValue) is out of reach: the least is \(Format.fixed(least, 3)), since some layers are left alone\(kept)\(wayOut)"
            )
        }
        if budgets == nil { search.budgets = Self.shares(points, least: least) }
        search.penaltyShare = penaltyShare
        search.pruneArguments = pruneArguments
        return search
    }

    /// What `prune` must be told to make one of the networks, besides the method.
    private var pruneArguments: [String] {
        var arguments = ["--data", "\(data)"] + dataOptions.arguments
        arguments += ["--granularity", granularity.rawValue]
        arguments += ["--finetune-epochs", "\(finetuneEpochs)"]
        arguments += repairing.arguments
        arguments += keep.flatMap { ["--keep", $0] }
        if let firstAndLast { arguments.append(firstAndLast ? "--first-and-last" : "--no-first-and-last") }
        return arguments
    }

    /// From what hardly bends a network to what takes most of it, by equal factors. In a training of few steps there is little
    /// time to follow a price, so that prices are higher.
    private func prices(_ data: Dataset) -> [Double] {
        let batchSize = repairing.training.batchSize ?? UsualTraining.batchSize
        let steps = penaltyShare * Double(finetuneEpochs * data.sampleCount / batchSize)
        let least = 0.3 * max(1, (1000 / max(1, steps)).squareRoot())
        return (0..<points).map { place -> Double in
            let share = Double(place) / Double(max(1, points - 1))
            return Self.rounded(least * pow(100, share))
        }
    }

    /// From nine tenths to a tenth, or what can be reached, at equal distances.
    static func shares(_ count: Int, least: Double) -> [Double] {
        let last = max(0.1, least + 0.02)
        return (0..<count).map { place -> Double in
            let share = Double(place) / Double(max(1, count - 1))
            return rounded(0.9 - (0.9 - last) * share)
        }
    }

    private static func rounded(_ number: Double) -> Double { (1000 * number).rounded() / 1000 }

    /// What is wanted and no trial knows, by key.
    private func measured(
        _ outcome: TrialOutcome, _ search: ParetoSearch, _ store: RunStore
    ) throws -> [Objective: [String: Double]] {
        guard wanted.contains(.latency) || wanted.contains(.lipschitz) else { return [:] }
        let points = search.points(outcome.records)
        let finished = try store.finishedTrials(of: search.experiment.hash)
        let graphs = try points.map { point in
            try LoadedModel(path(of: point, finished)).graph
        }
        common.console.status("measuring \(graphs.count) networks")
        var measured: [Objective: [String: Double]] = [:]
        func add(_ objective: Objective, _ values: [Double]) {
            measured[objective] = Dictionary(zip(points.map(\.key), values), uniquingKeysWith: { $1 })
        }
        if wanted.contains(.latency) { add(.latency, try latencies(graphs, search)) }
        if wanted.contains(.lipschitz) {
            add(.lipschitz, try graphs.map { try $0.lipschitzBound(on: search.data.fit) })
        }
        return measured
    }

    /// Milliseconds of one inference of each network: measured in turns, on one thread.
    private func latencies(_ graphs: [Graph], _ search: ParetoSearch) throws -> [Double] {
        let lane = try Lane(threads: 1)
        let costs = try CostConstants.found(lane: lane, recalibrates: false, console: common.console).model
        let inputs = try ModelInputs.random(
            for: graphs[0], shapes: InputBinding(graphs[0], search.data.fit).shapes(batchSize: 1), samples: 1,
            seed: common.seed
        ).tensors
        return try lane.run {
            try NetworkLatency.milliseconds(
                of: graphs, inputs: inputs, threads: 1, costs: costs, seconds: 0.3)
        }
    }

    private func path(
        of point: RunRecord.FrontPoint, _ finished: [String: FinishedTrial]
    ) throws -> String {
        if point.method == "dense" { return models[Int(point.seed % UInt64(models.count))] }
        guard let trial = finished[point.key] else {
            throw CommandFailure("the model of \(point.key) is not in the run store")
        }
        return try trial.modelPath()
    }

    private func write(
        _ chosen: RunRecord.FrontPoint, of search: ParetoSearch, store: RunStore, to output: String
    ) throws {
        let source = try path(of: chosen, store.finishedTrials(of: search.experiment.hash))
        _ = try ModelFile.write(
            LoadedModel(source).graph, to: output, protecting: source, dataset: search.data.validation,
            seed: common.seed)
        common.console.status("wrote \(output)")
    }

    private func settings(_ search: ParetoSearch) -> [RunRecord.Setting] {
        func list(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
        var settings: [RunRecord.Setting] = []
        settings.append(.init("methods", methods.values.map(\.rawValue).joined(separator: ", ")))
        settings.append(.init("granularity", granularity.rawValue))
        settings.append(.init("charged for", cost.rawValue))
        settings.append(.init("budgets", list(search.budgets)))
        settings.append(.init("prices", list(search.lambdas)))
        settings.append(.init("seeds", "\(search.seeds.count), from \(common.seed)"))
        settings.append(
            .init(
                "repair",
                "\(repairing.text(epochs: finetuneEpochs)), \(Format.percent(penaltyShare)) under a penalty"))
        settings.append(.init("experiment", String(search.experiment.hash.prefix(8))))
        return settings
    }
}

/// What can be charged for without measuring first.
enum ChargedCost: String, CaseIterable, ExpressibleByArgument {
    case macs
    case parameters
    case bytes

    var function: CostFunction {
        switch self {
        case .macs: .multiplyAccumulates
        case .parameters: .parameters
        case .bytes: .bytes
        }
    }

    var objective: Objective {
        switch self {
        case .macs: .multiplyAccumulates
        case .parameters: .parameters
        case .bytes: .bytes
        }
    }
}

/// In what a network can be wanted small besides the accuracy drop.
extension Objective: NamedChoice {
    static var choices: [Objective] { known.filter { $0 != .accuracyDrop } }
}

extension ParetoSearch.Method: NamedChoice {}

/// Positive numbers separated by commas.
struct PositiveList: ExpressibleByArgument {
    /// Ascending, each once.
    let values: [Double]

    init?(argument: String) {
        let values = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.drop { $0 == " " })
        }
        guard !values.isEmpty, values.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? false }) else {
            return nil
        }
        self.values = Set(values.compactMap { $0 }).sorted()
    }
}
