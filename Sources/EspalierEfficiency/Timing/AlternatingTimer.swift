/// Times several programs in turns, so that whatever slows the machine down for a while slows all of them.
///
/// Rounds of all contenders follow one another, every other one in reverse order. A contender's part of a round begins with
/// runs that are not counted: caches and branch predictors become its own again, and threads of another's pool, which wait
/// actively for a while, go to sleep. What is compared are the parts of one round.
package struct AlternatingTimer {
    /// Of each contender, warm-up apart.
    package var seconds: Double

    package init(seconds: Double) { self.seconds = seconds }

    /// One contender's times, in milliseconds of one run.
    package struct Series: Sendable {
        /// Each measurement, by rounds. Of runs that are short against the clock's resolution one measurement is the mean of
        /// several.
        package fileprivate(set) var rounds: [[Double]] = []

        package var milliseconds: Quantiles { Quantiles(of: rounds.flatMap { $0 }) }
        /// The median of each round.
        package var roundMedians: [Double] { rounds.map { Quantiles(of: $0).median } }
        /// The number of rounds.
        package var roundCount: Int { rounds.count }

        /// How many times as long as `other` this took, by rounds: their median and spread.
        package func ratio(to other: Series) -> Quantiles {
            Quantiles(of: zip(roundMedians, other.roundMedians).map { $0 / $1 })
        }
    }

    /// Rounds at most, and at least however long a run takes.
    private static let mostRounds = 20
    private static let fewestRounds = 3
    /// One measurement takes at least so many readings of the clock.
    private static let readingsPerMeasurement = 500.0
    /// A round's first runs, for so long, are not counted.
    private static let settlingMilliseconds = 4.0

    /// - Parameters:
    ///   - contenders: each runs once when it is called.
    ///   - progress: told how many rounds are done, and of how many; may throw to stop.
    /// - Returns: a series for each contender.
    /// - Throws: what contenders and `progress` throw.
    package func measure(
        _ contenders: [() throws -> Void], progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> [Series] {
        guard !contenders.isEmpty else { return [] }
        let reading = Self.readingMilliseconds()
        var estimates: [Double] = []
        for contender in contenders { estimates.append(try Self.warmedUp(contender)) }
        let wanted = 1000 * seconds / Double(Self.mostRounds)
        let longest = max(wanted, estimates.max() ?? 0)
        let total = max(Self.fewestRounds, min(Self.mostRounds, Int(1000 * seconds / longest)))
        let part = 1000 * seconds / Double(total)
        var series = contenders.map { _ in Series() }
        for round in 0..<total {
            let order = round.isMultiple(of: 2) ? Array(contenders.indices) : contenders.indices.reversed()
            for place in order {
                let repeats = max(
                    1, Int((Self.readingsPerMeasurement * reading / estimates[place]).rounded(.up)))
                series[place].rounds.append(
                    try Self.round(contenders[place], milliseconds: part, repeats: repeats))
            }
            try progress(round + 1, total)
        }
        return series
    }

    /// One contender's part of a round.
    private static func round(
        _ body: () throws -> Void, milliseconds: Double, repeats: Int
    ) throws -> [Double] {
        let clock = ContinuousClock()
        let start = clock.now
        repeat { try body() } while (clock.now - start) / .milliseconds(1) < settlingMilliseconds
        var times: [Double] = []
        var before = clock.now
        let end = before + .milliseconds(milliseconds)
        repeat {
            for _ in 0..<repeats { try body() }
            let now = clock.now
            times.append((now - before) / .milliseconds(1) / Double(repeats))
            before = now
        } while before < end
        return times
    }

    /// Runs until times are steady enough to plan by, and returns the milliseconds of one run.
    private static func warmedUp(_ body: () throws -> Void) throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var best = Double.infinity
        var runs = 0
        repeat {
            let before = clock.now
            try body()
            best = min(best, (clock.now - before) / .milliseconds(1))
            runs += 1
        } while runs < 3 || ((clock.now - start) / .milliseconds(1) < 50 && runs < 10_000)
        // A run of nothing takes no time that the clock can tell.
        return max(best, 1e-6)
    }

    /// What one reading of the clock takes.
    private static func readingMilliseconds() -> Double {
        let clock = ContinuousClock()
        let count = 1000
        let start = clock.now
        for _ in 0..<count { _ = clock.now }
        return max((clock.now - start) / .milliseconds(1) / Double(count), 1e-6)
    }
}
