/// How scores of different layers or groups are made comparable.
package enum ScoreNormalization: String, Sendable, Codable, CaseIterable {
    /// As they are: for scores in a unit that means the same everywhere.
    case none
    /// Divided by the mean.
    case mean
    /// Divided by the largest.
    case maximum = "max"
    /// Replaced by the share of the layer's scores that are smaller.
    case rank

    /// The scores of one layer or group; their order stays.
    package func normalized(_ scores: [Double]) -> [Double] {
        guard self != .rank else { return Self.ranks(scores) }
        let factor = factor(for: scores)
        return factor == 1 ? scores : scores.map { $0 * factor }
    }

    /// The positive factor that ``normalized(_:)`` multiplies with; 1 for ranks.
    func factor(for scores: [Double]) -> Double {
        guard !scores.isEmpty else { return 1 }
        let divisor: Double =
            switch self {
            case .none, .rank: 1
            case .mean: scores.reduce(0, +) / Double(scores.count)
            case .maximum: scores.max() ?? 1
            }
        return divisor > 0 && divisor.isFinite ? 1 / divisor : 1
    }

    /// For each score the share of the others that are smaller, ties halfway, in 0...1.
    static func ranks(_ scores: [Double]) -> [Double] {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var ranks = [Double](repeating: 0.5, count: scores.count)
        guard scores.count > 1 else { return ranks }
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            let middle = Double(start + end - 1) / 2
            for place in start..<end { ranks[order[place]] = middle / Double(scores.count - 1) }
            start = end
        }
        return ranks
    }
}
