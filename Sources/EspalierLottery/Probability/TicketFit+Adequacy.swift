package import EspalierTensors
import Foundation

/// Whether the observations are such as the fitted model makes.
extension TicketFit {
    /// The shares s beyond the three parameters; the model can be rejected only if there are any.
    package var degreesOfFreedom: Int { observations.points.count - 3 }

    /// The probability of a deviance as large, by the chi-squared distribution that it has with many successes and many
    /// failures at every s; nil without degrees of freedom. Where hardly any or nearly all networks succeed, a point adds
    /// less, and this is too large: ``bootstrapProbability(samples:random:)`` is then the better.
    package var chiSquaredProbability: Double? {
        degreesOfFreedom > 0
            ? ChiSquared.upperTail(deviance, degreesOfFreedom: degreesOfFreedom) : nil
    }

    /// The probability of a deviance as large, from observations that are drawn from the fitted model and fitted anew
    /// (parametric bootstrap): (1 + those as large) / (1 + `samples`). nil without degrees of freedom.
    ///
    /// - Precondition: `samples > 0`.
    package func bootstrapProbability(samples: Int, random: inout RandomSource) -> Double? {
        guard degreesOfFreedom > 0 else { return nil }
        var larger = 0
        for _ in 0..<samples where Self.deviance(of: drawn(random: &random), near: optimum) >= deviance {
            larger += 1
        }
        return Double(1 + larger) / Double(1 + samples)
    }

    private func drawn(random: inout RandomSource) -> [TicketObservations.Point] {
        points.map { fitted in
            var successes = 0
            for _ in 0..<fitted.point.trials where random.uniform() < fitted.probability { successes += 1 }
            return .init(
                share: fitted.point.share, successes: successes, trials: fitted.point.trials)
        }
    }

    /// The least deviance of other observations that came of the model at `guess`, in whose neighbourhood it lies.
    private static func deviance(
        of points: [TicketObservations.Point], near guess: TicketLikelihood.Parameters
    ) -> Double {
        guard let observations = try? TicketObservations(points) else { return 0 }
        let likelihood = TicketLikelihood(observations)
        func value(_ logSize: Double, _ logHalf: Double) -> Double {
            let logCount = TicketLikelihood.logCount(logSize: logSize, logHalf: logHalf)
            return likelihood.best(logSize: logSize, logCount: logCount).value
        }
        let logHalf = TicketLikelihood.logHalf(logSize: guess.logSize, logCount: guess.logCount)
        let start = Maximization.Summit(
            x: guess.logSize, y: logHalf, value: value(guess.logSize, logHalf))
        let bounds = (TicketLikelihood.logSizeRange, likelihood.logHalfRange)
        let summit = Maximization.climb(from: start, in: bounds, value)
        return 2 * (likelihood.saturated - summit.value)
    }
}
