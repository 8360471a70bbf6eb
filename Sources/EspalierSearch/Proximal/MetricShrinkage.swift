/// The proximal operator of a group's L2 norm in a diagonal metric d, which is that of an optimiser whose steps have a length
/// for each element: the x that minimises 1/2 sum_i (x_i - u_i)^2 / d_i + k ||x||, with k = lambda c_g.
///
/// x is 0 if and only if ||u / d|| <= k. Otherwise x_i = u_i nu / (nu + k d_i), where nu = ||x|| is the only positive root of
/// sum_i (u_i / (nu + k d_i))^2 = 1: set the gradient (x_i - u_i) / d_i + k x_i / ||x|| to zero (Becker, Fadili & Ochs 2019
/// treat such metrics in general). With all d_i equal to eta it is ``GroupShrinkage`` with the threshold eta k.
package enum MetricShrinkage {
    /// Shrinks a group in place.
    ///
    /// - Parameters:
    ///   - penalty: k.
    ///   - metric: d, positive and finite, parallel to `values`; see ``AdamMetric``.
    ///   - slices: the whole group, each element once.
    /// - Returns: the norm of what is left; 0 if and only if the group is now zero. NaN if the group had values that are not finite, and all
    ///   of it then is.
    /// - Precondition: `penalty >= 0`, `metric` is as long as `values`, and the slices lie within both.
    /// - Complexity: two passes over the group, and one for each of the root's iterations, of which there are a few.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    @discardableResult
    package static func apply<Real: BinaryFloatingPoint>(
        penalty: Double, metric: UnsafeBufferPointer<Real>, to values: UnsafeMutableBufferPointer<Real>,
        slices: [WeightSlice]
    ) -> Double {
        precondition(penalty >= 0 && metric.count == values.count)
        let equation = NormEquation(
            penalty: penalty, metric: metric, values: UnsafeBufferPointer(values), slices: slices)
        let norm = equation.root()
        guard norm != 0 else {
            GroupShrinkage.multiply(values, slices: slices) { _, _ in 0 }
            return 0
        }
        GroupShrinkage.multiply(values, slices: slices) { value, element in
            Real(Double(value) * (norm / (norm + penalty * Double(metric[element]))))
        }
        return norm
    }
}
