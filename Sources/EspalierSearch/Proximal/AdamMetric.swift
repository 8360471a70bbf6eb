/// The diagonal metric of Adam's steps (Kingma & Ba 2015): d_i = eta / (sqrt(v_i / (1 - beta2^t)) + epsilon), by which the
/// corrected first moment is multiplied.
package enum AdamMetric {
    /// Writes d into `metric`.
    ///
    /// - Parameters:
    ///   - secondMoment: v after step t, as Adam keeps it: not corrected for its start from zero.
    ///   - correction: 1 - beta2^t.
    /// - Precondition: both arrays have one length; `learningRate`, `correction` and `epsilon` are positive.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    package static func fill<Real: BinaryFloatingPoint>(
        _ metric: UnsafeMutableBufferPointer<Real>, secondMoment: UnsafeBufferPointer<Real>, correction: Real,
        learningRate: Real, epsilon: Real
    ) {
        precondition(metric.count == secondMoment.count && learningRate > 0 && correction > 0 && epsilon > 0)
        guard let scales = metric.baseAddress, let moments = secondMoment.baseAddress else { return }
        // The optimiser's kernel multiplies the root too.
        let rootCorrection = (1 / correction).squareRoot()
        for element in 0..<metric.count {
            scales[element] = learningRate / (moments[element].squareRoot() * rootCorrection + epsilon)
        }
    }
}
