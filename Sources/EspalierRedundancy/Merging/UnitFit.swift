/// One unit's values as least squares tells them from another's: slope * twin + intercept.
package struct UnitFit: Sendable, Equatable {
    package let slope: Double
    package let intercept: Double
    /// R^2: 1 - (mean squared error) / (variance of the unit). At most 1; negative where the unit's mean would have been
    /// better, which only a line through the origin allows.
    package let determination: Double

    /// The line that is best over the observations.
    ///
    /// A unit that never changes has slope 0 and is told wholly; a twin that never changes tells nothing.
    package init(of unit: Int, from twin: Int, in observations: StreamingCovariance) {
        let (variance, twinVariance) = (observations.variance(unit), observations.variance(twin))
        let product = observations.covariance(unit, twin)
        let varies = !observations.isConstant(unit) && !observations.isConstant(twin)
        slope = varies ? product / twinVariance : 0
        intercept = observations.means[unit] - slope * observations.means[twin]
        determination =
            observations.isConstant(unit)
            ? 1 : varies ? min(1, product * product / twinVariance / variance) : 0
    }

    /// The line through the origin that is best over the observations: for readers that cannot take up an intercept.
    package init(of unit: Int, throughOriginFrom twin: Int, in observations: StreamingCovariance) {
        let (mean, twinMean) = (observations.means[unit], observations.means[twin])
        let square = observations.variance(unit) + mean * mean
        let twinSquare = observations.variance(twin) + twinMean * twinMean
        let product = observations.covariance(unit, twin) + mean * twinMean
        slope = twinSquare > 0 ? product / twinSquare : 0
        intercept = 0
        let error = max(0, square - slope * product)
        if observations.isConstant(unit) {
            determination = error <= 1e-12 * square ? 1 : 0
        } else {
            determination = 1 - error / observations.variance(unit)
        }
    }
}
