/// How often training succeeded in networks of which each weight was kept with probability s, for several s.
package struct TicketObservations: Sendable, Equatable {
    /// Networks of one s.
    package struct Point: Sendable, Equatable {
        /// s, above 0.
        package let share: Double
        package let successes: Int
        package let trials: Int

        package init(share: Double, successes: Int, trials: Int) {
            self.share = share
            self.successes = successes
            self.trials = trials
        }

        package var frequency: Double { Double(successes) / Double(trials) }
    }

    /// By ascending s, each once.
    package let points: [Point]

    /// Points of the same s are taken together.
    ///
    /// - Throws: ``TicketError/outOfRange(_:value:allowed:)`` for no points, 0 >= s or s > 1, no trials, or successes that
    ///   are not 0...trials. Where nothing is kept the model has no free parameter, so that s = 0 tells nothing.
    package init(_ points: [Point]) throws(TicketError) {
        guard !points.isEmpty else {
            throw .outOfRange("the number of shares s", value: "0", allowed: "positive")
        }
        var merged: [Double: (successes: Int, trials: Int)] = [:]
        for point in points {
            guard point.share > 0, point.share <= 1 else {
                throw .outOfRange("a share s", value: "\(point.share)", allowed: "above 0 and at most 1")
            }
            guard point.trials > 0, point.trials <= Self.mostTrials,
                (0...point.trials).contains(point.successes)
            else {
                throw .outOfRange(
                    "the number of successes", value: "\(point.successes) of \(point.trials)",
                    allowed: "0...trials, and trials 1...\(Self.mostTrials)")
            }
            merged[point.share, default: (0, 0)].successes += point.successes
            merged[point.share, default: (0, 0)].trials += point.trials
        }
        self.points = merged.sorted { $0.key < $1.key }.map {
            Point(share: $0.key, successes: $0.value.successes, trials: $0.value.trials)
        }
    }

    /// Sums of a few stay whole numbers.
    private static let mostTrials = 1_000_000_000
}
