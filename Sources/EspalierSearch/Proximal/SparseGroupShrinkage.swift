/// The proximal operator of the sparse group lasso, a ||x||_1 + b ||x||: whole groups vanish, and elements within those that
/// stay (Friedman, Hastie & Tibshirani 2010; Simon et al. 2013).
///
/// It is the soft threshold followed by the group's shrinkage, exactly, since shrinking a group changes no sign (Yu 2013). The
/// same holds in a diagonal metric.
package enum SparseGroupShrinkage {
    /// Shrinks a group in place, minimising 1/2 ||x - u||^2 + `elementThreshold` ||x||_1 + `groupThreshold` ||x||.
    ///
    /// - Returns: as ``GroupShrinkage/apply(_:to:slices:)``.
    /// - Precondition: the thresholds are not negative, and the slices lie within `values`.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    @discardableResult
    package static func apply<Real: BinaryFloatingPoint>(
        elementThreshold: Real, groupThreshold: Double, to values: UnsafeMutableBufferPointer<Real>,
        slices: [WeightSlice]
    ) -> Double {
        SoftThreshold.apply(elementThreshold, to: values, slices: slices)
        return GroupShrinkage.apply(groupThreshold, to: values, slices: slices)
    }

    /// Shrinks a group in place, minimising
    /// 1/2 sum_i (x_i - u_i)^2 / d_i + `elementPenalty` ||x||_1 + `groupPenalty` ||x||.
    ///
    /// - Returns: as ``MetricShrinkage/apply(penalty:metric:to:slices:)``.
    /// - Precondition: the penalties are not negative, `metric` is as long as `values`, and the slices lie within both.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    @discardableResult
    package static func apply<Real: BinaryFloatingPoint>(
        elementPenalty: Real, groupPenalty: Double, metric: UnsafeBufferPointer<Real>,
        to values: UnsafeMutableBufferPointer<Real>, slices: [WeightSlice]
    ) -> Double {
        SoftThreshold.apply(penalty: elementPenalty, metric: metric, to: values, slices: slices)
        return MetricShrinkage.apply(penalty: groupPenalty, metric: metric, to: values, slices: slices)
    }
}
