package import EspalierLottery
import EspalierRedundancy
package import EspalierRuns
package import EspalierTensors

extension RunRecord.TicketFrequencies {
    /// A fit as it is recorded, with the exact intervals of the frequencies and the verdict on the model.
    ///
    /// - Parameter samples: of the parametric bootstrap.
    /// - Throws: `RedundancyError`.
    package init(_ fit: TicketFit, samples: Int, random: inout RandomSource) throws {
        let bootstrap = fit.bootstrapProbability(samples: samples, random: &random)
        self.init(
            points: try fit.points.map { fitted in
                let interval = try BinomialInterval(
                    successes: fitted.point.successes, trials: fitted.point.trials,
                    confidence: fit.confidence)
                return .init(
                    share: fitted.point.share, successes: fitted.point.successes,
                    trials: fitted.point.trials, lower: interval.lower, upper: interval.upper,
                    fitted: fitted.probability, residual: fitted.residual)
            },
            fit: .init(
                trainability: .init(fit.trainability), size: .init(fit.size), count: .init(fit.count),
                confidence: fit.confidence, deviance: fit.deviance, degreesOfFreedom: fit.degreesOfFreedom,
                chiSquaredProbability: fit.chiSquaredProbability, bootstrapProbability: bootstrap,
                isRejected: bootstrap.map { $0 < RunRecord.TicketFit.level }))
    }
}

extension RunRecord.TicketEstimate {
    package init(_ estimate: TicketFit.Estimate) {
        self.init(value: estimate.value, lower: estimate.lower, upper: estimate.upper)
    }
}
