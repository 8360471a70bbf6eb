import EspalierGraphs
package import EspalierLottery
import EspalierPruning
package import EspalierRuns
package import EspalierTraining

/// An experiment with lottery tickets: networks are pruned in rounds and rewound to where their training began, and what is left is
/// trained as long as the dense network was (Frankle & Carbin 2019; Frankle, Dziugaite, Roy & Carbin 2020). Controls have as many
/// weights, and lack one thing that a ticket has.
///
/// Every network is measured after its last step and at its least validation loss; the test data are read once for each of the two.
package struct LotteryExperiment: Sendable {
    /// The networks before training.
    package enum Networks: Sendable {
        /// Drawn for each seed.
        case fresh(architecture: String, options: ArchitectureOptions)
        /// One network at hand for all seeds, which then decide on the order of samples only.
        case given(GivenNetwork)
    }

    /// Where mask and weights of a network come from.
    package enum Method: String, Sendable, CaseIterable {
        case winning
        /// A ticket's mask on fresh weights.
        case reinitialized = "reinit"
        /// As many weights of each layer, anywhere.
        case randomMask = "random-mask"
        /// As many weights of each unit, anywhere in it.
        case shuffled
        /// A ticket's mask, and of its weights only the signs.
        case signs
        /// From the dense network in one step.
        case oneShot = "one-shot"
        /// Without training: by size, in each layer the share that a ticket has.
        case magnitude
        case snip
        case grasp
        case synflow
        /// Untrained weights; what is trained is which of them take part.
        case edgePopup = "edge-popup"

        /// As a key in JSON.
        package var key: String {
            switch self {
            case .randomMask: "randomMask"
            case .oneShot: "oneShot"
            case .edgePopup: "edgePopup"
            default: rawValue
            }
        }

        package var explanation: String {
            switch self {
            case .winning: "pruned in rounds, rewound, trained: the tickets, and the dense network"
            case .reinitialized: "a ticket's mask, fresh weights"
            case .randomMask: "as many weights of each layer, anywhere in it"
            case .shuffled: "as many inputs of each unit, any of them"
            case .signs: "a ticket's mask and its weights' signs, all of one size in a layer"
            case .oneShot: "pruned in one step after the dense training, rewound"
            case .magnitude: "by size before any training, in each layer as much as of a ticket"
            case .snip: "by SNIP before any training, over all layers"
            case .grasp: "by GraSP before any training, over all layers"
            case .synflow: "by SynFlow before any training and without data, over all layers"
            case .edgePopup:
                "the drawn weights' signs, never trained; training decides which take part (Ramanujan et al. 2020)"
            }
        }

        /// The criterion of methods that prune before training.
        var initialCriterion: String? {
            switch self {
            case .magnitude, .snip, .grasp, .synflow: rawValue
            default: nil
            }
        }

        /// Whether it takes the mask of a ticket.
        var takesMask: Bool {
            switch self {
            case .reinitialized, .randomMask, .shuffled, .signs: true
            default: false
            }
        }
    }

    /// How much each round removes.
    package enum Share: Sendable, Hashable {
        /// Of each layer by its kind.
        case layerwise(PruningRates)
        /// Of all weights together, the least important first: what residual networks take.
        case global(Double)
    }

    package var networks: Networks
    /// Labelled, all three.
    package var data: PrunePipeline.Data
    package var methods: [Method]
    /// How often is pruned; positive.
    package var rounds: Int
    /// The rounds at which methods other than ``Method/winning`` are tried; nil for all.
    package var otherRounds: Set<Int>?
    package var share: Share
    /// The step to which weights are rewound; 0 for their initial values.
    package var rewindStep: Int
    package var recipe: TrainingRecipe
    /// Steps between two measurements of the validation loss.
    package var evaluationInterval: Int
    /// What a trained network is pruned by.
    package var criterion: String
    package var evidenceSamples = 2000
    package var seeds: [UInt64]
    /// How trials' records begin: the command, its arguments, the machine.
    package var template: RunRecord

    package init(
        _ networks: Networks, data: PrunePipeline.Data, methods: [Method], rounds: Int, share: Share,
        rewindStep: Int, recipe: TrainingRecipe, evaluationInterval: Int, criterion: String, seeds: [UInt64],
        template: RunRecord
    ) {
        self.networks = networks
        self.data = data
        self.methods = methods
        self.rounds = rounds
        self.share = share
        self.rewindStep = rewindStep
        self.recipe = recipe
        self.evaluationInterval = evaluationInterval
        self.criterion = criterion
        self.seeds = seeds
        self.template = template
    }

    /// What results depend on besides a trial's own method, round and seed. More of those later belong to the same experiment, and
    /// what was finished before is not done again.
    package var experiment: Experiment {
        let configuration: [String: JSONValue] = [
            "networks": describedNetworks, "share": .string("\(share)"),
            "rewindStep": .integer(Int64(rewindStep)), "recipe": .object(recipe.described),
            "criterion": .string(criterion),
            "evaluationInterval": .integer(Int64(evaluationInterval)),
            "evidenceSamples": .integer(Int64(evidenceSamples)),
        ]
        let parts = [data.fit, data.validation, data.test].map { $0?.identity ?? "none" }
        return Experiment(
            command: "lottery", configuration: .object(configuration),
            codeVersion: EspalierVersion.current, dataFingerprint: parts.joined(separator: " "))
    }

    private var describedNetworks: JSONValue {
        switch networks {
        case .fresh(let architecture, let options):
            [
                "architecture": .string(architecture), "activation": .string(options.activation.rawValue),
                "initialization": .string(options.initialization.rawValue),
            ]
        case .given(let network): .string(String(network.graph.fingerprint, radix: 16))
        }
    }
}

// MARK: - Rounds

extension LotteryExperiment {
    /// The rounds that leave about so much of the weights.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` for a share that a further round would come nearer to.
    package func rounds(leaving shares: [Double]) throws -> Set<Int> {
        let pruner = try pruner(of: initial(seed: 0))
        let left = try (1...(rounds + 1)).map { try remaining(pruner, round: $0) }
        if let share = shares.min(), share < (left[rounds - 1] + left[rounds]) / 2 {
            let least = (1000 * left[rounds - 1]).rounded() / 1000
            throw TrainingError.mismatch(
                "\(rounds) rounds leave \(least) of the weights, and not about \(share): give more --rounds")
        }
        return Set(
            shares.compactMap { share in
                (1...rounds).min { abs(left[$0 - 1] - share) < abs(left[$1 - 1] - share) }
            })
    }
}

// MARK: - Trials

extension LotteryExperiment {
    /// All trials: the dense networks and the tickets first, since the others wait for them.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if training ends before ``rewindStep``; what making a network throws.
    package func trials() throws -> [Trial] {
        let batchSize = min(recipe.batchSize, data.fit.sampleCount)
        let steps = recipe.epochs * (data.fit.sampleCount / batchSize)
        guard rewindStep < steps else {
            throw TrainingError.mismatch(
                "weights cannot be rewound to step \(rewindStep): training has \(steps) steps")
        }
        let peakBytes = try initial(seed: 0).trainingBytes(data.fit, batchSize: recipe.batchSize)
        var trials: [Trial] = []
        for round in 0...rounds {
            for seed in seeds { trials.append(trial(.winning, round, seed, peakBytes)) }
        }
        for round in 1...rounds where otherRounds?.contains(round) ?? true {
            for seed in seeds {
                for method in methods where method != .winning {
                    trials.append(trial(method, round, seed, peakBytes))
                }
            }
        }
        return trials
    }

    private func trial(_ method: Method, _ round: Int, _ seed: UInt64, _ peakBytes: Int) -> Trial {
        Trial(
            key: Self.key(method, round: round, seed: seed), seed: seed,
            configuration: ["method": .string(method.rawValue), "round": .integer(Int64(round))],
            requirements: requirements(method, round: round, seed: seed), peakBytes: peakBytes,
            body: { try train(method, round: round, $0) })
    }

    package static func key(_ method: Method, round: Int, seed: UInt64) -> String {
        "\(method.rawValue)/round=\(round)/seed=\(seed)"
    }

    func denseKey(_ seed: UInt64) -> String { Self.key(.winning, round: 0, seed: seed) }

    /// The dense network where weights are rewound to one of its steps, and what the mask is made of.
    private func requirements(_ method: Method, round: Int, seed: UInt64) -> [String] {
        guard round > 0 else { return [] }
        switch method {
        case .winning:
            return Set([Self.key(.winning, round: round - 1, seed: seed), denseKey(seed)]).sorted()
        case .oneShot: return [denseKey(seed)]
        case .reinitialized: return [Self.key(.winning, round: round, seed: seed)]
        case .randomMask, .shuffled, .signs:
            return [Self.key(.winning, round: round, seed: seed), denseKey(seed)]
        case .magnitude, .snip, .grasp, .synflow, .edgePopup: return []
        }
    }
}
