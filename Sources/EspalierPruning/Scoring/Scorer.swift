import EspalierGraphs
package import EspalierTensors

/// Scores a whole network by one criterion, without pruning anything.
package struct Scorer: Sendable {
    private let pruner: Pruner
    /// How the scores of elements become that of a unit; nil for each criterion's own way.
    package var aggregation: Reduction?
    /// How scores are made comparable between layers; nil to leave them in the criterion's own unit, whatever it would do
    /// to prune.
    package var normalization: ScoreNormalization?

    package init(_ pruner: Pruner, aggregation: Reduction? = nil, normalization: ScoreNormalization? = nil) {
        self.pruner = pruner
        self.aggregation = aggregation
        self.normalization = normalization
    }

    /// The scores of one weight's elements or one group's units.
    package struct Layer: Sendable {
        /// The weight's or the group's name.
        package let name: String
        /// The weight's, or the number of units.
        package let shape: Shape
        /// In row-major order.
        package let scores: [Double]
    }

    /// What a criterion says of a network.
    package struct Result: Sendable {
        package let granularity: Granularity
        package var layers: [Layer] = []
        /// What it does not score, and why.
        package var refusals: [(name: String, reason: String)] = []
    }

    /// The scores of all weights that may be pruned, or of all groups that may be cut, in the graph's order. Blocks and N:M
    /// groups are made of single weights, and so are what they are scored by.
    ///
    /// - Throws: ``PruningError``: a granularity that the criterion does not know, evidence that is missing, or a score
    ///   that is not a number.
    package func scores(
        _ criterion: any Criterion, granularity: Granularity, evidence: Evidence = .none
    ) throws(PruningError) -> Result {
        // The same rules as for pruning; how far does not matter.
        let request = PruningRequest(
            granularity, targets: [.sparsity(0)], criterion: criterion,
            normalization: normalization ?? ScoreNormalization.none,
            aggregation: aggregation)
        try request.check()
        let scene = ScoringScene(pruner.graph, evidence: evidence, aggregation: aggregation)
        var result = Result(granularity: granularity)
        switch granularity {
        case .element, .inputGroups, .blocks:
            var seen: Set<ValueID> = []
            for layer in pruner.groups.layers where seen.insert(layer.weight).inserted {
                guard let parameter = scene.parameter(layer.weight) else { continue }
                if let refused = layer.refused {
                    result.refusals.append((parameter.name, refused.message))
                    continue
                }
                try result.add(parameter.name, parameter.tensor.shape) { () throws(PruningError) in
                    let scores = try criterion.elementScores(of: parameter, scene: scene)
                    return request.usedNormalization.normalized(scores.map { Double($0) })
                }
            }
        case .channel:
            for group in pruner.groups.all {
                if let frozen = group.frozen {
                    result.refusals.append((group.id, frozen.message))
                    continue
                }
                try result.add(group.id, [group.size]) { () throws(PruningError) in
                    request.usedNormalization.normalized(try criterion.unitScores(of: group, scene: scene))
                }
            }
        }
        return result
    }
}

extension Scorer.Result {
    /// Adds what `scores` computes, or why it does not.
    fileprivate mutating func add(
        _ name: String, _ shape: Shape, _ scores: () throws(PruningError) -> [Double]
    ) throws(PruningError) {
        do throws(PruningError) {
            layers.append(.init(name: name, shape: shape, scores: try scores()))
        } catch .notScored(_, _, let reason) {
            refusals.append((name, reason))
        }
    }
}

extension Scorer.Layer {
    package var mean: Double { scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count) }
    package var maximum: Double { scores.max() ?? 0 }
    package var minimum: Double { scores.min() ?? 0 }

    /// The share of scores below a thousandth of the largest, in size.
    package var nearZeroShare: Double {
        guard !scores.isEmpty else { return 0 }
        let bound = 1e-3 * (scores.map(\.magnitude).max() ?? 0)
        return Double(scores.count { $0.magnitude <= bound }) / Double(scores.count)
    }

    package var gini: Double? { GiniCoefficient.of(scores) }
}
