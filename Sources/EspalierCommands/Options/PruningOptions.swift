import ArgumentParser
import EspalierKernels
import EspalierPruning

/// What is pruned, how far, and by which measure.
struct PruningOptions: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @Option(
        help: ArgumentHelp(
            "Milliseconds that one inference may take at most, or a share of what it takes now, as 50%, by a profile measured on this machine.",
            valueName: "time"))
    var targetLatency: LatencyLimit?

    @Option(
        help: ArgumentHelp(
            "Accuracy on the validation data that may be lost at most: takes the smallest of several networks that keep it.",
            discussion: "The accuracy is a share: 0.005 is half a point. Needs --data and epochs of repair.",
            valueName: "share"))
    var maxAccuracyDrop: Double?

    @Option(
        name: .customLong("criterion"),
        help: ArgumentHelp(
            "How importance is measured; see below; without it \(Magnitude.information.id).",
            valueName: "name"),
        completion: .list(Criteria.all.map { $0.information.id }))
    var givenCriterion: String?

    @Option(
        help: ArgumentHelp(
            "What is removed at a time, such as 2:4 or block:4x1; without it element, or that of --allocation.",
            valueName: "granularity"))
    var granularity: Granularity?

    @Option(
        help: ArgumentHelp(
            "How layers share the removal; without it \(GlobalScope.information.id), or "
                + "\(KnapsackScope.information.id) for --target-latency.",
            valueName: "name"))
    var scope: ScopeName?

    @Option(
        help: ArgumentHelp(
            "A file with the share of each layer to remove; with a target, shares are scaled together to meet it.",
            valueName: "allocation.json"),
        completion: .file(extensions: ["json"]))
    var allocation: String?

    @Option(
        help: ArgumentHelp(
            "A layer to leave alone, by name; * fits anything. Repeatable.", valueName: "pattern"))
    var keep: [String] = []

    @Option(
        help: ArgumentHelp(
            "Least share of a layer's channels or weights to keep; without it 0.1 of channels, unless an --allocation "
                + "is given, else 0.",
            valueName: "share"))
    var minimumKept: Double?

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Prune the first and the last layer too, or not; without either they are spared only where channels are "
                + "cut without --allocation."))
    var firstAndLast: Bool?

    @Option(
        help: ArgumentHelp(
            "Keep channels in multiples of this; auto is what dense kernels on this machine fill their registers with.",
            valueName: "n"))
    var roundChannels = ChannelMultiple.exactly(1)

    @OptionGroup var scoring: ScoringOptions<ScoresToPrune>

    func validate() throws {
        if let maxAccuracyDrop {
            guard (0..<1).contains(maxAccuracyDrop) else {
                throw ValidationError("--max-accuracy-drop is a share from 0 to below 1")
            }
            guard target.targets.isEmpty, targetLatency == nil else {
                throw ValidationError("--max-accuracy-drop finds out how far: leave out other targets")
            }
        }
        // An allocation has a granularity of its own.
        try CriterionNames.check(
            criterion, of: "--criterion",
            for: allocation == nil ? granularity ?? Granularity.element : granularity)
        if scope != nil, allocation != nil {
            throw ValidationError("--allocation says how layers share the removal: leave out --scope")
        }
        if let granularity, granularity.fixesShares, scope != nil || allocation != nil {
            throw ValidationError(
                "\(granularity.rawValue) takes the same share of every layer: leave out --scope and --allocation"
            )
        }
        guard
            roundChannels == .exactly(1) || granularity == .channel
                || (granularity == nil && allocation != nil)
        else { throw ValidationError("--round-channels goes with channel granularity") }
        if let minimumKept, !(0..<1).contains(minimumKept) {
            throw ValidationError("--minimum-kept is a share from 0 to below 1")
        }
    }

    /// Whether it is said how far to prune: by a target, an allocation or the granularity.
    var saysHowFar: Bool {
        !target.targets.isEmpty || targetLatency != nil || maxAccuracyDrop != nil
            || allocation != nil
            || granularity?.fixesShares ?? false
    }

    /// Whether it is said what is to be removed rather than how much: what a plan says already.
    var saysWhat: Bool { saysHow || !keep.isEmpty }

    /// Whether it is said by which measure, in which pieces, or how layers share it.
    var saysHow: Bool {
        givenCriterion != nil || granularity != nil || scope != nil || minimumKept != nil
            || firstAndLast != nil || roundChannels != .exactly(1)
            || scoring.aggregation != nil || scoring.normalization != nil
    }

    var criterion: String { givenCriterion ?? Magnitude.information.id }

    /// - Parameter latency: what `--target-latency` became.
    func request(seed: UInt64, latency: PruningTarget? = nil) throws -> PruningRequest {
        let allocation = try self.allocation.map { path in
            try InputFile.read(path) { try LayerAllocation(json: $0) }
        }
        let scope: any Scope =
            if let allocation {
                AllocationScope(allocation)
            } else if let named = self.scope {
                named.scope
            } else if latency == nil {
                GlobalScope()
            } else {
                KnapsackScope()
            }
        return PruningRequest(
            granularity ?? allocation?.granularity ?? .element,
            targets: target.targets + (latency.map { [$0] } ?? []),
            criterion: try Criteria.criterion(criterion, seed: seed),
            scope: scope,
            minimumKept: minimumKept.map { MinimumKept(count: 1, fraction: $0) },
            keep: keep.map { NamePattern($0) }, prunesFirstAndLast: firstAndLast,
            channelMultiple: roundChannels.value(isForLatency: latency != nil),
            normalization: scoring.normalization,
            aggregation: scoring.aggregation)
    }
}

/// `--round-channels`.
enum ChannelMultiple: ExpressibleByArgument, Equatable {
    case exactly(Int)
    case auto

    init?(argument: String) {
        if argument == "auto" {
            self = .auto
        } else {
            guard let number = Int(argument), number > 0 else { return nil }
            self = .exactly(number)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .exactly(let number): "\(number)"
        case .auto: "auto"
        }
    }

    /// A predicted latency has the steps of the registers in it: with it as the target, more rounding would only lose.
    func value(isForLatency: Bool) -> Int {
        switch self {
        case .exactly(let number): number
        case .auto: isForLatency ? 1 : KernelWork.denseLanes
        }
    }
}

extension Granularity: ExpressibleByArgument {
    package static var allValueStrings: [String] { Kind.allCases.map(\.rawValue) }
}
