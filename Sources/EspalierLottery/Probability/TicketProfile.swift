import Foundation

/// The profile likelihood of each parameter of P = a [1 - (1 - s^r)^m]: how likely the data are with it held, and the
/// others chosen to suit.
struct TicketProfile {
    private let likelihood: TicketLikelihood
    private let optimum: TicketLikelihood.Parameters
    /// The logarithm of a likelihood that is not yet too small.
    private let least: Double

    init(_ likelihood: TicketLikelihood, _ optimum: TicketLikelihood.Parameters, least: Double) {
        self.likelihood = likelihood
        self.optimum = optimum
        self.least = least
    }

    /// a: 0 and 1 are ends like others.
    var trainability: TicketFit.Estimate {
        let value = optimum.trainability
        func best(_ a: Double) -> Double { likelihood.best(trainability: a, guess: optimum) }
        let lower = bound(from: value, to: Self.leastTrainability, best)
        let upper = bound(from: value, to: 1, best)
        let isFree = lower == nil && upper == nil
        return .init(value: isFree ? nil : value, lower: lower ?? 0, upper: upper ?? 1)
    }

    /// r.
    var size: TicketFit.Estimate {
        estimate(optimum.logSize, in: TicketLikelihood.logSizeRange) { likelihood.best(logSize: $0).value }
    }

    /// m.
    var count: TicketFit.Estimate {
        estimate(optimum.logCount, in: TicketLikelihood.logCountRange) { likelihood.best(logCount: $0) }
    }

    /// Of a parameter by its logarithm.
    private func estimate(
        _ optimum: Double, in range: ClosedRange<Double>, _ best: (Double) -> Double
    ) -> TicketFit.Estimate {
        let start = min(max(optimum, range.lowerBound), range.upperBound)
        let lower = bound(from: start, to: range.lowerBound, best)
        let upper = bound(from: start, to: range.upperBound, best)
        // What is as likely at an end of the range goes on beyond it, and there is no summit.
        let summit = best(start) - Self.flatness
        let isFlat = max(best(range.lowerBound), best(range.upperBound)) > summit
        return .init(
            value: isFlat || optimum > range.upperBound ? nil : exp(optimum), lower: lower.map(exp),
            upper: upper.map(exp))
    }

    /// Where the likelihood falls below what is allowed on the way from the optimum to an end; nil if it does not, or there
    /// is no way.
    private func bound(
        from start: Double, to end: Double, _ best: (Double) -> Double
    ) -> Double? {
        guard best(end) < least else { return nil }
        var (inside, outside) = (start, end)
        for _ in 0..<Self.bisections {
            let middle = (inside + outside) / 2
            if best(middle) < least { outside = middle } else { inside = middle }
        }
        return (inside + outside) / 2
    }

    /// Stands for a = 0, where nothing succeeds.
    private static let leastTrainability = 1e-9
    private static let bisections = 24
    /// A difference of logarithms of likelihoods that tells nothing.
    private static let flatness = 1e-4
}
