import EspalierGraphs
package import EspalierPruning
package import EspalierRuns
package import EspalierSearch
package import EspalierTraining

/// An experiment that prunes networks by several methods to several sizes, all at the same number of epochs, and sets what
/// is left against one another: accuracy lost against cost.
///
/// Every network is measured on the validation data, which front and choice are made by, and once on the test data.
package struct ParetoSearch: Sendable {
    /// How a network of the trade-off is found.
    package enum Method: String, Sendable, CaseIterable {
        /// Under growing prices, each begun where the last one's penalty ended: a warm-started path.
        case lagrangian
        /// A penalty whose price meets a budget: it finds networks that no price does, where the front is concave.
        case budget
        /// Hard concrete gates that meet a budget.
        case gates = "l0"
        /// By the criterion, before the repair.
        case oneShot = "one-shot"
        /// By the criterion in rounds, in the course of the repair.
        case iterative
        /// The structures that ``budget`` found, from fresh weights.
        case fromScratch = "from-scratch"

        var hasPrice: Bool { self == .lagrangian || self == .budget || self == .gates }

        package var explanation: String {
            switch self {
            case .lagrangian: "a warm-started path of growing prices"
            case .budget: "a price that meets each budget"
            case .gates: "hard concrete gates that meet each budget"
            case .oneShot: "by the criterion, before the repair"
            case .iterative: "by the iterative criterion, in rounds in the course of the repair"
            case .fromScratch: "what budget found, trained from fresh weights"
            }
        }
    }

    /// One network to be found.
    package struct Candidate: Sendable, Hashable {
        package var method: Method
        package var lambda: Double?
        package var budget: Double?
        package var seed: UInt64
        /// The prices of the path before ``lambda``, ascending: another path leads to another network.
        package var earlier: [Double] = []

        package var key: String {
            let path = earlier.isEmpty ? "" : "/after=\(earlier.map { "\($0)" }.joined(separator: ","))"
            let aim = lambda.map { "lambda=\($0)\(path)" } ?? "budget=\(budget ?? 1)"
            return "\(method.rawValue)/\(aim)/seed=\(seed)"
        }
    }

    /// The networks at hand, which the seeds take in turn.
    package var networks: [GivenNetwork]
    /// Labelled, all three.
    package var data: PrunePipeline.Data
    package var methods: [Method]
    /// Ascending.
    package var lambdas: [Double]
    /// Shares of the cost to keep at most, descending.
    package var budgets: [Double]
    /// What is charged for, and what budgets are in.
    package var cost: CostFunction
    /// What is wanted small besides the accuracy drop.
    package var costs: [Objective]
    package var seeds: [UInt64]
    /// What all plans have in common: ``Method/oneShot`` uses its criterion; its targets are replaced.
    package var request: PruningRequest
    /// The criterion of ``Method/iterative``.
    package var iterativeCriterion: String
    package var repair: PrunePipeline.Repair
    /// The share of the epochs of methods with a price that are trained under it.
    package var penaltyShare = 0.25
    /// The epochs of ``Method/fromScratch``, and its learning rate.
    package var scratch: TrainingRecipe
    package var evidenceSamples = 2000
    /// How trials' records begin: the command, its arguments, the machine.
    package var template: RunRecord
    /// The arguments of a command that finds one network by itself, but for model and output.
    package var pruneArguments: [String] = []

    package init(
        _ networks: [GivenNetwork], data: PrunePipeline.Data, methods: [Method], lambdas: [Double],
        budgets: [Double], cost: CostFunction, costs: [Objective], seeds: [UInt64], request: PruningRequest,
        iterativeCriterion: String, repair: PrunePipeline.Repair, scratch: TrainingRecipe,
        template: RunRecord
    ) {
        self.networks = networks
        self.data = data
        self.methods = methods
        self.lambdas = lambdas
        self.budgets = budgets
        self.cost = cost
        self.costs = costs
        self.seeds = seeds
        self.request = request
        self.iterativeCriterion = iterativeCriterion
        self.repair = repair
        self.scratch = scratch
        self.template = template
    }

    /// The least share of the cost that every network can be pruned to.
    ///
    /// - Throws: ``PruningError`` if nothing can be pruned.
    package func leastBudget() throws -> Double {
        try networks.map { network in
            try pruner(of: network.graph).leastShare(request) { .maximum(cost, share: $0) }
        }.max() ?? 0
    }

    /// Of all seeds and methods.
    package var candidates: [Candidate] {
        seeds.flatMap { seed in
            methods.flatMap { method -> [Candidate] in
                method == .lagrangian
                    ? lambdas.indices.map { place in
                        Candidate(
                            method: method, lambda: lambdas[place], budget: nil, seed: seed,
                            earlier: Array(lambdas[..<place]))
                    }
                    : budgets.map { Candidate(method: method, lambda: nil, budget: $0, seed: seed) }
            }
        }
    }

    /// What results depend on besides a trial's own method, price or budget, and seed. More of those later belong to the same
    /// experiment, and what was finished before is not done again.
    package var experiment: Experiment {
        let configuration: [String: JSONValue] = [
            "networks": .array(
                networks.map { .string(String($0.graph.fingerprint, radix: 16)) }),
            "cost": .string(cost.id), "evidenceSamples": .integer(Int64(evidenceSamples)),
            "request": .string(request.identity), "iterativeCriterion": .string(iterativeCriterion),
            "repair": .object(repair.described), "penaltyShare": JSONValue(penaltyShare),
            "scratch": .object(scratch.described),
        ]
        let parts = [data.fit, data.validation, data.test].map { $0?.identity ?? "none" }
        return Experiment(
            command: "pareto", configuration: .object(configuration),
            codeVersion: EspalierVersion.current, dataFingerprint: parts.joined(separator: " "))
    }
}

// MARK: - Trials

extension ParetoSearch {
    /// All trials: the networks as they are, and one for each candidate.
    package func trials() throws -> [Trial] {
        let peakBytes =
            try networks.map {
                try $0.graph.trainingBytes(data.fit, batchSize: repair.recipe.batchSize)
            }.max() ?? 0
        var keys: Set<String> = []
        let dense = seeds.filter { keys.insert(denseKey($0)).inserted }.map { seed in
            Trial(
                // The same trial, whichever seed asks for it.
                key: denseKey(seed), seed: UInt64(index(seed)), configuration: ["method": "dense"],
                peakBytes: peakBytes, body: { try measureDense($0) })
        }
        return dense
            + candidates.map { candidate in
                var configuration: [String: JSONValue] = ["method": .string(candidate.method.rawValue)]
                configuration["lambda"] = candidate.lambda.map { JSONValue($0) }
                configuration["budget"] = candidate.budget.map { JSONValue($0) }
                if !candidate.earlier.isEmpty {
                    configuration["earlier"] = .array(candidate.earlier.map { JSONValue($0) })
                }
                return Trial(
                    key: candidate.key, seed: candidate.seed, configuration: .object(configuration),
                    requirements: [denseKey(candidate.seed)] + (source(of: candidate).map { [$0.key] } ?? []),
                    peakBytes: peakBytes, body: { try find(candidate, $0) })
            }
    }

    /// The key of the trial of the network as it was.
    package func denseKey(_ seed: UInt64) -> String { "dense/model=\(index(seed))" }

    func index(_ seed: UInt64) -> Int { Int(seed % UInt64(max(networks.count, 1))) }

    /// The candidate that another one begins with.
    func source(of candidate: Candidate) -> Candidate? {
        switch candidate.method {
        case .lagrangian:
            guard let last = candidate.earlier.last else { return nil }
            return Candidate(
                method: .lagrangian, lambda: last, budget: nil, seed: candidate.seed,
                earlier: candidate.earlier.dropLast())
        case .fromScratch:
            return Candidate(method: .budget, lambda: nil, budget: candidate.budget, seed: candidate.seed)
        case .budget, .gates, .oneShot, .iterative: return nil
        }
    }
}
