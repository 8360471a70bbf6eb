package import EspalierGraphs
package import EspalierPruning
package import EspalierRuns
package import EspalierTraining

/// An experiment which prunes the same networks by several criteria, each to several sparsities, with several seeds, and
/// measures what is left.
///
/// The seed decides on the samples that evidence is measured on, on the order in which a repair sees the data, on what
/// random criteria draw and, where networks are trained for the experiment, on their initialisation. Every network is
/// measured on the validation data, to choose by, and once on the test data, to report.
package struct CriteriaComparison: Sendable {
    /// Something to measure of a network when it is finished, at the end of its trial.
    package struct FurtherMeasure: Sendable {
        /// What its results depend on.
        package var described: JSONValue
        /// The memory that it takes at most, besides the trial's own.
        package var peakBytes: Int
        /// Puts what it finds into the trial's record.
        package var add: @Sendable (inout RunRecord, Graph, TrialContext) throws -> Void

        package init(
            described: JSONValue, peakBytes: Int = 0,
            add: @escaping @Sendable (inout RunRecord, Graph, TrialContext) throws -> Void
        ) {
            self.described = described
            self.peakBytes = peakBytes
            self.add = add
        }
    }

    package enum Networks: Sendable {
        /// A network trained for each seed; the recipe's seed is replaced.
        case trained(architecture: String, options: ArchitectureOptions, recipe: TrainingRecipe)
        /// Networks at hand, which the seeds take in turn.
        case given([GivenNetwork])
    }

    package var networks: Networks
    /// Labelled, all three.
    package var data: PrunePipeline.Data
    /// Names of criteria.
    package var criteria: [String]
    /// Shares of the prunable parameters that are removed.
    package var sparsities: [Double]
    package var seeds: [UInt64]
    /// What all plans have in common; its criterion and targets are replaced.
    package var request: PruningRequest
    /// nil for none: what a criterion alone is worth.
    package var repair: PrunePipeline.Repair?
    package var evidenceSamples = 2000
    /// What is measured of every network besides its accuracy; nil for nothing.
    package var further: FurtherMeasure?
    /// How trials' records begin: the command, its arguments, the machine.
    package var template: RunRecord

    package init(
        _ networks: Networks, data: PrunePipeline.Data, criteria: [String], sparsities: [Double],
        seeds: [UInt64], request: PruningRequest, repair: PrunePipeline.Repair? = nil, template: RunRecord
    ) {
        self.networks = networks
        self.data = data
        self.criteria = criteria
        self.sparsities = sparsities
        self.seeds = seeds
        self.request = request
        self.repair = repair
        self.template = template
    }

    /// What results depend on besides a trial's own criterion, sparsity and seed. More criteria, sparsities or seeds later
    /// belong to the same experiment, and what was finished before is not done again.
    package var experiment: Experiment {
        var configuration: [String: JSONValue] = [
            "networks": describedNetworks, "evidenceSamples": .integer(Int64(evidenceSamples)),
            "granularity": .string(request.granularity.rawValue),
            "scope": .string(type(of: request.scope).information.id),
            "firstAndLast": .bool(request.prunesFirstAndLast),
            "leastKept": .array([
                .integer(Int64(request.minimumKept.count)), JSONValue(request.minimumKept.fraction),
            ]),
            "keep": .array(request.keep.map { .string($0.text) }),
            "channelMultiple": .integer(Int64(request.channelMultiple)),
            "normalization": .string(request.normalization?.rawValue ?? "as the criterion has it"),
            "aggregation": .string(request.aggregation?.rawValue ?? "as the criterion has it"),
        ]
        if let repair { configuration["repair"] = .object(repair.described) }
        if let further { configuration["measure"] = further.described }
        let parts = [data.fit, data.validation, data.test].map { $0?.identity ?? "none" }
        return Experiment(
            command: template.command, configuration: .object(configuration),
            codeVersion: EspalierVersion.current, dataFingerprint: parts.joined(separator: " "))
    }

    private var describedNetworks: JSONValue {
        switch networks {
        case .trained(let architecture, let options, let recipe):
            var described = recipe.described
            described["architecture"] = .string(architecture)
            described["activation"] = .string(options.activation.rawValue)
            return .object(described)
        case .given(let networks):
            return .array(
                networks.map { .string(String($0.graph.fingerprint, radix: 16)) })
        }
    }
}

// MARK: - Trials

extension CriteriaComparison {
    /// All trials, those of one network together.
    package func trials() throws -> [Trial] {
        let shelf = EvidenceShelf()
        let journeys = try Set(criteria.flatMap { try self.journeys(of: $0) })
        let peakBytes = try self.peakBytes() + (further?.peakBytes ?? 0)
        var trials = try denseTrials(peakBytes)
        for seed in seeds {
            for journey in journeys.sorted(by: { $0.rawValue < $1.rawValue }) {
                trials.append(
                    Trial(
                        key: key(journey, seed: seed), seed: seed,
                        configuration: ["network": "dense", "collects": .string(journey.rawValue)],
                        peakBytes: peakBytes, body: { try trainDense($0, collecting: journey) }))
            }
            for sparsity in sparsities {
                // Neighbours differ in the criterion, so that lanes do not wait for one another's evidence.
                for criterion in criteria {
                    trials.append(
                        Trial(
                            key: Self.key(criterion, sparsity: sparsity, seed: seed), seed: seed,
                            configuration: [
                                "criterion": .string(criterion), "sparsity": JSONValue(sparsity),
                            ],
                            requirements: try [denseKey(seed)]
                                + self.journeys(of: criterion).map { key($0, seed: seed) },
                            peakBytes: peakBytes,
                            body: { try prune($0, by: criterion, to: sparsity, shelf: shelf) }))
                }
            }
        }
        return trials
    }

    /// The key of the trial that prunes by `criterion`.
    package static func key(_ criterion: String, sparsity: Double, seed: UInt64) -> String {
        "\(criterion)/sparsity=\(sparsity)/seed=\(seed)"
    }

    /// The key of the trial of the network before pruning.
    package func denseKey(_ seed: UInt64) -> String {
        switch networks {
        case .trained: "dense/seed=\(seed)"
        case .given: "dense/model=\(denseSeed(seed))"
        }
    }

    /// The seed of that trial: of a network at hand its index, so that the trial is the same whichever seed asks for it.
    private func denseSeed(_ seed: UInt64) -> UInt64 {
        switch networks {
        case .trained: seed
        case .given(let networks): seed % UInt64(max(networks.count, 1))
        }
    }

    /// The key of the trial that trains the dense network once more, to collect what a criterion needs of its training.
    /// It is apart from the dense trial, so that no other result depends on whether anyone asks for that criterion.
    func key(_ journey: JourneyRecorder.Quantity, seed: UInt64) -> String {
        "journey/\(journey.rawValue)/seed=\(seed)"
    }

    /// What a criterion needs of the training of the networks; of networks at hand it is looked for beside the file.
    func journeys(of criterion: String) throws -> [JourneyRecorder.Quantity] {
        guard case .trained = networks else { return [] }
        let kinds = try Criteria.criterion(criterion).requiredEvidence
        return JourneyRecorder.Quantity.allCases.filter { kinds.contains($0.kind) }
    }

    /// Whether a criterion looks at the dense network only. Where it measures anew between rounds, or a schedule while the
    /// network trains, it is another network each time.
    func sharesEvidence(_ criterion: any Criterion) -> Bool {
        criterion.rounds == 1 && (repair?.schedule ?? .oneShot) == .oneShot
    }

    private func denseTrials(_ peakBytes: Int) throws -> [Trial] {
        var keys: Set<String> = []
        return seeds.filter { keys.insert(denseKey($0)).inserted }.map { seed in
            Trial(
                key: denseKey(seed), seed: denseSeed(seed), configuration: ["network": "dense"],
                peakBytes: peakBytes,
                body: { context in
                    switch networks {
                    case .trained: try trainDense(context, collecting: nil)
                    case .given: try measureDense(context)
                    }
                })
        }
    }
}
