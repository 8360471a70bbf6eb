package import EspalierExecution

/// Times the steps of plans while the whole plans run, in turns: so each step finds the caches as it does in the network.
package struct StepTimer {
    /// Of each plan.
    package var seconds: Double

    package init(seconds: Double) { self.seconds = seconds }

    private static let rounds = 10
    /// Passes of a round at most: small networks have enough of them.
    private static let mostPasses = 500
    private static let settlingMilliseconds = 2.0

    /// The median microseconds of each step of each plan.
    ///
    /// - Parameter check: called now and then; may throw to stop.
    /// - Throws: what `check` throws.
    package func medians(_ plans: [InferencePlan], check: () throws -> Void = {}) throws -> [[Double]] {
        let clock = ContinuousClock()
        let reading = Self.readingMicroseconds()
        var times = plans.map { plan in plan.listing.map { _ in [Double]() } }
        let part = Duration.seconds(seconds / Double(Self.rounds))
        for round in 0..<Self.rounds {
            let order = round.isMultiple(of: 2) ? Array(plans.indices) : plans.indices.reversed()
            for place in order {
                let start = clock.now
                // What the other plan left in the caches is not this one's to pay for.
                repeat {
                    for step in times[place].indices { plans[place].runStep(step) }
                } while (clock.now - start) / .milliseconds(1) < Self.settlingMilliseconds
                let end = clock.now + part
                var passes = 0
                repeat {
                    var before = clock.now
                    for step in times[place].indices {
                        plans[place].runStep(step)
                        let now = clock.now
                        times[place][step].append(max(0, (now - before) / .microseconds(1) - reading))
                        before = now
                    }
                    passes += 1
                } while clock.now < end && passes < Self.mostPasses
                try check()
            }
        }
        return times.map { steps in steps.map { Quantiles(of: $0).median } }
    }

    /// What one reading of the clock takes, which is no part of a step.
    private static func readingMicroseconds() -> Double {
        let clock = ContinuousClock()
        let count = 1000
        let start = clock.now
        for _ in 0..<count { _ = clock.now }
        return (clock.now - start) / .microseconds(1) / Double(count)
    }
}
