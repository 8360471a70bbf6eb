/// Everything that decides on a plan, besides the network and the evidence.
package struct PruningRequest: Sendable {
    package var granularity: Granularity
    /// All of them are met. Where the granularity or an allocation fixes the shares, ``PruningTarget/completion(_:)`` is
    /// among them.
    package var targets: [PruningTarget]
    package var criterion: any Criterion
    package var scope: any Scope
    package var minimumKept: MinimumKept
    /// Layers to leave alone, by the name of the node or its weight. A layer left alone keeps its weights
    /// or, with channels, its output channels; its inputs shrink with the layers before it.
    package var keep: [NamePattern]
    /// Whether the first and the last layers are pruned like the others.
    package var prunesFirstAndLast: Bool
    /// Numbers of channels kept are multiples of this, where a group is larger: what kernels like.
    package var channelMultiple: Int
    /// How scores of layers are made comparable; nil: as the criterion wants for channels, not at all for
    /// weights.
    package var normalization: ScoreNormalization?
    /// How the score of a unit, or a block, is made of those of its elements; nil: as the criterion does for units, by
    /// ``Reduction/sum`` for blocks.
    package var aggregation: Reduction?

    /// Channel granularity leaves the first and last layers alone and keeps at least a tenth of each group: a bottleneck of
    /// a few channels costs more than it saves. The others prune all layers, and so does an ``AllocationScope``, which says
    /// itself what to spare; without a target it takes the shares as they are. N:M groups take the same share of each layer,
    /// so they have the uniform scope whatever is given, and need no target.
    package init(
        _ granularity: Granularity, targets: [PruningTarget], criterion: any Criterion = Magnitude(),
        scope: any Scope = GlobalScope(), minimumKept: MinimumKept? = nil, keep: [NamePattern] = [],
        prunesFirstAndLast: Bool? = nil, channelMultiple: Int = 1, normalization: ScoreNormalization? = nil,
        aggregation: Reduction? = nil
    ) {
        self.granularity = granularity
        let isAllocated = scope is AllocationScope
        let sparesChannels = granularity == .channel && !isAllocated
        self.targets =
            granularity.fixesShares || (isAllocated && targets.isEmpty)
            ? targets + [.completion(1)] : targets
        self.criterion = criterion
        self.scope = granularity.fixesShares && !isAllocated ? UniformScope() : scope
        self.minimumKept = minimumKept ?? MinimumKept(count: 1, fraction: sparesChannels ? 0.1 : 0)
        self.keep = keep
        self.prunesFirstAndLast = prunesFirstAndLast ?? !sparesChannels
        self.channelMultiple = channelMultiple
        self.normalization = normalization
        self.aggregation = aggregation
    }

    func check() throws(PruningError) {
        let (id, known) = (criterion.information.id, type(of: criterion).granularities)
        guard known.contains(granularity.kind) else {
            throw .granularity(criterion: id, granularity, known: known)
        }
        guard aggregation == nil || known.contains(.element) else {
            throw .nothingToAggregate(criterion: id)
        }
        guard !targets.isEmpty else { throw .invalidTarget("no target was given") }
        for target in targets { try target.check() }
        guard completion == nil || granularity.fixesShares || scope is AllocationScope else {
            throw .invalidTarget(
                "\(granularity.rawValue) granularity asks for nothing by itself: give a target")
        }
        guard completion != nil || !granularity.fixesShares else {
            throw .invalidTarget(
                "\(granularity.rawValue) granularity takes all that it asks for, or a part on the way")
        }
        guard (0..<1).contains(minimumKept.fraction), minimumKept.count >= 0 else {
            throw .invalidTarget("the share kept at least must be from 0 to below 1, the count not negative")
        }
        if case .inputGroups(let kept, let size) = granularity,
            minimumKept.fraction > Double(kept) / Double(size)
        {
            throw .invalidTarget(
                "\(granularity.rawValue) keeps less than the \(minimumKept.fraction) that are to be kept at least"
            )
        }
        guard channelMultiple >= 1 else {
            throw .invalidTarget("channels cannot be kept in multiples of \(channelMultiple)")
        }
    }

    /// The costs that targets are set in.
    package var targetCosts: [CostFunction] {
        targets.compactMap { if case .maximum(let cost, _) = $0 { cost } else { nil } }
    }

    /// How far along the way to what the granularity asks by itself; nil if targets decide.
    var completion: Double? {
        for case .completion(let share) in targets { return share }
        return nil
    }

    /// Everything in it that decides on a plan, as text: equal for requests that mean the same.
    package var identity: String {
        let aims = targets.map { "\($0.kind) \($0.value)" }.joined(separator: ", ")
        return "\(granularity.rawValue) by \(criterion.information.id), \(scope.identity), to \(aims), "
            + "keeping \(minimumKept.count) and \(minimumKept.fraction) and \(keep.map(\.text)), "
            + "first and last \(prunesFirstAndLast), in multiples of \(channelMultiple), "
            + "normalized by \(normalization?.rawValue ?? "default"), aggregated by \(aggregation?.rawValue ?? "default")"
    }

    /// How scores of layers are made comparable.
    var usedNormalization: ScoreNormalization {
        normalization ?? (granularity == .channel ? criterion.groupNormalization : .none)
    }

    /// Checks that every pattern fits something.
    func checkPatterns(_ layers: [WeightedLayer]) throws(PruningError) {
        for pattern in keep where !layers.contains(where: { $0.fits(pattern) }) {
            throw .patternMatchesNothing(pattern.text, known: layers.map(\.name))
        }
    }

    /// Why a layer is left alone on request; nil if it is not.
    func exclusion(of layer: WeightedLayer) -> String? {
        if let pattern = keep.first(where: { layer.fits($0) }) {
            return "kept by the pattern '\(pattern.text)'"
        }
        if !prunesFirstAndLast, layer.isFirst || layer.isLast {
            return "the \(layer.isFirst ? "first" : "last") layer is left alone"
        }
        return nil
    }
}

extension WeightedLayer {
    func fits(_ pattern: NamePattern) -> Bool { pattern.matches(name) || pattern.matches(weightName) }
}
