import Foundation

/// The model P = a [1 - (1 - s^r)^m] fitted to how often training succeeded, by maximum likelihood.
///
/// ```swift
/// let fit = TicketFit(try TicketObservations([.init(share: 0.5, successes: 12, trials: 100), ...]))
/// if fit.size.lower == nil { ... }    // the data do not bound r from below
/// ```
package struct TicketFit: Sendable {
    /// The value of a parameter that the data make likeliest, and the interval of those that they do not speak against.
    package struct Estimate: Sendable, Equatable {
        /// nil where no value is better than others, or it is beyond all numbers.
        package let value: Double?
        /// nil where arbitrarily small values do as well.
        package let lower: Double?
        /// nil where arbitrarily large values do as well.
        package let upper: Double?

        package func contains(_ value: Double) -> Bool {
            (lower ?? -.infinity) <= value && value <= (upper ?? .infinity)
        }
    }

    /// One s, as observed and as fitted.
    package struct FittedPoint: Sendable, Equatable {
        package let point: TicketObservations.Point
        /// P there.
        package let probability: Double
        /// The square root of what the point adds to the deviance, positive where success was more frequent than fitted:
        /// about standard normal, if the model holds.
        package let residual: Double
    }

    package let observations: TicketObservations
    /// Of the intervals.
    package let confidence: Double
    /// a.
    package let trainability: Estimate
    /// r.
    package let size: Estimate
    /// m.
    package let count: Estimate
    /// By ascending s.
    package let points: [FittedPoint]
    /// Twice what a model with a probability of its own for each s is likelier by, in logarithms.
    package let deviance: Double

    let optimum: TicketLikelihood.Parameters

    /// Finds the summit of the likelihood along the profile of r, and the intervals by profile
    /// likelihood: all values of a parameter with which, the others being chosen anew, the deviance is no more than a
    /// quantile of chi-squared above the least.
    ///
    /// - Throws: ``TicketError/outOfRange(_:value:allowed:)`` unless `confidence` is between 0 and 1.
    package init(_ observations: TicketObservations, confidence: Double = 0.95) throws(TicketError) {
        guard confidence > 0, confidence < 1 else {
            throw .outOfRange("the confidence", value: "\(confidence)", allowed: "between 0 and 1")
        }
        let likelihood = TicketLikelihood(observations)
        let optimum = Self.optimum(likelihood)
        let rates = likelihood.logRates(logSize: optimum.logSize, logCount: optimum.logCount)
        let value = likelihood.value(trainability: optimum.trainability, logRates: rates)
        self.observations = observations
        self.confidence = confidence
        self.optimum = optimum
        deviance = max(0, 2 * (likelihood.saturated - value))
        points = zip(observations.points, rates).map { point, rate in
            FittedPoint(point, trainability: optimum.trainability, logRate: rate)
        }
        let profile = TicketProfile(
            likelihood, optimum, least: value - ChiSquared.quantile(confidence: confidence) / 2)
        trainability = profile.trainability
        size = profile.size
        count = profile.count
    }

    /// The summit: of the profile over r, which is that over w for each r.
    private static func optimum(_ likelihood: TicketLikelihood) -> TicketLikelihood.Parameters {
        let logSize = Maximization.line(Maximization.places(TicketLikelihood.logSizeRange, count: 48)) {
            likelihood.best(logSize: $0).value
        }.x
        let logHalf = likelihood.best(logSize: logSize).logHalf
        let logCount = TicketLikelihood.logCount(logSize: logSize, logHalf: logHalf)
        return .init(
            trainability: likelihood.best(logSize: logSize, logCount: logCount).trainability,
            logSize: logSize, logCount: logCount)
    }
}

extension TicketFit.FittedPoint {
    init(_ point: TicketObservations.Point, trainability: Double, logRate: Double) {
        self.point = point
        let logFound = LogProbability.inverseComplementaryLogLog(logRate)
        probability = trainability * exp(logFound)
        let (x, n) = (Double(point.successes), Double(point.trials))
        var half = 0.0
        if x > 0 { half += x * (log(x / n) - log(trainability) - logFound) }
        // 1 - P, without cancellation.
        let failure = (1 - trainability) + trainability * exp(-exp(logRate))
        if x < n { half += (n - x) * (log((n - x) / n) - log(failure)) }
        let magnitude = max(0, 2 * half).squareRoot()
        residual = point.frequency < probability ? -magnitude : magnitude
    }
}
