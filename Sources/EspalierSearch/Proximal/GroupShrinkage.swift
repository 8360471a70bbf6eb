/// The proximal operator of a group's L2 norm, the group lasso: x = max(0, 1 - t / ||u||) u, which is the x that minimises
/// 1/2 ||x - u||^2 + t ||x|| (Yuan & Lin 2006).
///
/// All elements are exactly 0 where ||u|| <= t, and otherwise all are multiplied with one factor. Norms are summed in double
/// precision: exact to the last float for any group of floats; groups of doubles must have squares within range.
package enum GroupShrinkage {
    // Of package generics, `@inlinable` or not, callers in other modules get the unspecialised code, which is a hundred times
    // slower (Swift 6.3): here as in the other operators both types are specialised in this module.

    /// Shrinks a group in place.
    ///
    /// After a gradient step of length eta, t is eta lambda c_g, with c_g the group's share of the cost; the length that
    /// belongs to heavy-ball momentum is ``StepLength/heavyBall(learningRate:momentum:)``, and the steps of Adam have a
    /// metric of their own, ``MetricShrinkage``.
    ///
    /// - Parameter slices: the whole group, each element once.
    /// - Returns: the norm of what is left; 0 if and only if the group is now zero. NaN if the group had NaN, and all of it then is.
    /// - Precondition: `threshold >= 0`, and the slices lie within `values`.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    @discardableResult
    package static func apply<Real: BinaryFloatingPoint>(
        _ threshold: Double, to values: UnsafeMutableBufferPointer<Real>, slices: [WeightSlice]
    ) -> Double {
        precondition(threshold >= 0)
        let norm = norm(of: UnsafeBufferPointer(values), slices: slices)
        guard !(norm <= threshold) else {
            multiply(values, slices: slices) { _, _ in 0 }
            return 0
        }
        let factor = 1 - threshold / norm
        multiply(values, slices: slices) { value, _ in Real(Double(value) * factor) }
        return norm - threshold
    }

    /// The L2 norm of a group: lambda c_g times it is what the penalty adds to the loss.
    ///
    /// - Precondition: the slices lie within `values`.
    @_specialize(where Real == Float)
    @_specialize(where Real == Double)
    package static func norm<Real: BinaryFloatingPoint>(
        of values: UnsafeBufferPointer<Real>, slices: [WeightSlice]
    ) -> Double {
        guard let base = values.baseAddress else { return 0 }
        var sum = 0.0
        for slice in slices {
            slice.forEachRun(in: values.count) { sum += sumOfSquares(base + $0, count: slice.runLength) }
        }
        return sum.squareRoot()
    }

    /// In four sums, which do not wait for each other.
    static func sumOfSquares<Real: BinaryFloatingPoint>(_ values: UnsafePointer<Real>, count: Int) -> Double {
        var sums = SIMD4<Double>.zero
        var element = 0
        while element + 4 <= count {
            let four = SIMD4(
                Double(values[element]), Double(values[element + 1]), Double(values[element + 2]),
                Double(values[element + 3]))
            sums += four * four
            element += 4
        }
        var sum = sums.sum()
        while element < count {
            sum += Double(values[element]) * Double(values[element])
            element += 1
        }
        return sum
    }

    /// Replaces each element of the slices by what `change` makes of it and its position.
    static func multiply<Real: BinaryFloatingPoint>(
        _ values: UnsafeMutableBufferPointer<Real>, slices: [WeightSlice],
        _ change: (Real, Int) -> Real
    ) {
        guard let base = values.baseAddress else { return }
        for slice in slices {
            slice.forEachRun(in: values.count) { start in
                for element in start..<start + slice.runLength {
                    base[element] = change(base[element], element)
                }
            }
        }
    }
}
