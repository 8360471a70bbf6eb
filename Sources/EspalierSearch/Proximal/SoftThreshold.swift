/// The proximal operator of the L1 norm: x_i = sign(u_i) max(0, |u_i| - t), which is the x that minimises
/// 1/2 sum_i (x_i - u_i)^2 + t sum_i |x_i| (Donoho 1995; Daubechies, Defrise & De Mol 2004).
///
/// Exactly +0 where |u_i| <= t. NaN stays NaN, so that a training run which diverged is seen to have.
package enum SoftThreshold {
    /// Shrinks the elements of `slices` in place. After a gradient step of length eta with penalty lambda, t is eta lambda.
    ///
    /// - Precondition: `threshold >= 0`, and the slices lie within `values`.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    package static func apply<Real: BinaryFloatingPoint>(
        _ threshold: Real, to values: UnsafeMutableBufferPointer<Real>, slices: [WeightSlice]
    ) {
        precondition(threshold >= 0)
        guard let base = values.baseAddress else { return }
        for slice in slices {
            slice.forEachRun(in: values.count) { start in
                for element in start..<start + slice.runLength {
                    base[element] = shrunk(base[element], by: threshold)
                }
            }
        }
    }

    /// The same in a diagonal metric, each element with the threshold d_i times `penalty`: it minimises
    /// 1/2 sum_i (x_i - u_i)^2 / d_i + penalty sum_i |x_i|.
    ///
    /// - Parameter metric: d, parallel to `values`; see ``AdamMetric``.
    /// - Precondition: `penalty >= 0`, `metric` is as long as `values`, and the slices lie within both.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    package static func apply<Real: BinaryFloatingPoint>(
        penalty: Real, metric: UnsafeBufferPointer<Real>, to values: UnsafeMutableBufferPointer<Real>,
        slices: [WeightSlice]
    ) {
        precondition(penalty >= 0 && metric.count == values.count)
        guard let base = values.baseAddress, let scales = metric.baseAddress else { return }
        for slice in slices {
            slice.forEachRun(in: values.count) { start in
                for element in start..<start + slice.runLength {
                    base[element] = shrunk(base[element], by: penalty * scales[element])
                }
            }
        }
    }

    static func shrunk<Real: BinaryFloatingPoint>(_ value: Real, by threshold: Real) -> Real {
        abs(value) <= threshold ? 0 : value - Real(signOf: value, magnitudeOf: threshold)
    }
}
