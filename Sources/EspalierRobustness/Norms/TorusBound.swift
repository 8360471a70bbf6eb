import EspalierOperators
import EspalierTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A cheap upper bound of a convolution's norm: that of the circular convolution with the same filters on a torus so large
/// that nothing meets itself around it, of which the true map is a part.
///
/// Along each axis the torus has at least input + padding + dilated extent of the kernel - 1 positions, rounded up to a
/// multiple of the stride. Inputs are the first of them, all else is zero; then no window of the true convolution sees an
/// input around the torus, and different windows start at different positions. (A torus of the input's own size, as in
/// Delattre 2023, is unsound for zero padding.)
///
/// The Fourier transform turns the circular convolution into one small matrix F(w) for each frequency w. A stride s keeps
/// every s-th output, and so adds up the s frequencies that agree there: the squared norm is the largest eigenvalue of
/// the mean of F F^H over those. Eigenvalues are bounded from above by Gram iteration: |H|_2 <= |H^(2^k)|_F^(1/2^k). Only
/// frequencies that may still be the largest are iterated further.
enum TorusBound {
    static func upperBound(_ map: ConvolutionMap) -> Double {
        let plan = TorusPlan(map)
        let scale = map.positionScales.map { $0.reduce(0) { max($0, $1.magnitude) } } ?? 1
        var largest = 0.0
        for group in 0..<map.groups {
            for frequency in plan.frequencies {
                var power = HermitianPower(plan.symbol(map, group: group, frequency: frequency))
                while power.bound > largest, power.canImprove { power.square() }
                largest = max(largest, power.bound)
            }
        }
        let stacked = map.groupInputs * plan.aliasCount
        let squaringSlack = HermitianPower.slack(
            order: min(map.groupOutputs, stacked), terms: max(map.groupOutputs, stacked))
        // The symbol is wrong by rounding in its own sum.
        let symbolSlack = Rounding.relative(map.mostTerms + 32) * plan.magnitudeBound(map)
        return scale * (largest.squareRoot() * squaringSlack + symbolSlack) * (1 + Rounding.relative(4))
    }
}

/// The frequencies of a torus, and which of them a stride adds up.
private struct TorusPlan {
    /// The torus's extent along each axis, a multiple of the stride.
    let extents: [Int]
    let strides: [Int]
    let aliasCount: Int
    /// One of each pair of opposite frequencies, whose matrices are conjugate, on the torus of the output.
    let frequencies: [[Int]]
    /// Coordinates of each position of the kernel, times the dilation.
    private let offsets: [[Int]]

    init(_ map: ConvolutionMap) {
        let axes = map.windows.axes
        extents = axes.map { axis in
            // Where one tap sees each position at most once, all frequencies are the same.
            if axis.kernel == 1 { return axis.stride }
            let padding = axis.paddingBefore + max(axis.paddingAfter, axis.reachedPaddingAfter)
            let least = axis.input + padding + axis.span - 1
            return (least + axis.stride - 1) / axis.stride * axis.stride
        }
        strides = axes.map(\.stride)
        aliasCount = strides.reduce(1, *)
        let outputs = zip(extents, strides).map { $0 / $1 }
        var frequencies: [[Int]] = []
        Shape(outputs).forEachCoordinate { frequency in
            let opposite = zip(frequency, outputs).map { ($1 - $0) % $1 }
            if !opposite.lexicographicallyPrecedes(frequency) { frequencies.append(frequency) }
        }
        self.frequencies = frequencies
        var offsets: [[Int]] = []
        Shape(axes.map(\.kernel)).forEachCoordinate { tap in
            offsets.append(zip(tap, axes).map { $0 * $1.dilation })
        }
        self.offsets = offsets
    }

    /// A bound of the norm of the matrix of magnitudes at any frequency.
    func magnitudeBound(_ map: ConvolutionMap) -> Double {
        var bound = 0.0
        for group in 0..<map.groups {
            var rows = [Double](repeating: 0, count: map.groupInputs)
            var columns = [Double](repeating: 0, count: map.groupOutputs)
            var index = group * map.kernelPositions * map.groupInputs * map.groupOutputs
            for _ in 0..<map.kernelPositions {
                for row in rows.indices {
                    for column in columns.indices {
                        rows[row] += map.filters[index].magnitude
                        columns[column] += map.filters[index].magnitude
                        index += 1
                    }
                }
            }
            bound = max(bound, (rows.max() ?? 0) * (columns.max() ?? 0))
        }
        return bound.squareRoot()
    }

    /// The matrices F of all frequencies that agree on the output's, side by side and divided by the root of their number.
    func symbol(_ map: ConvolutionMap, group: Int, frequency: [Int]) -> ComplexMatrix {
        let block = map.groupInputs * map.groupOutputs
        var result = ComplexMatrix(rows: map.groupInputs * aliasCount, columns: map.groupOutputs)
        let share = 1 / Double(aliasCount).squareRoot()
        let outputs = zip(extents, strides).map { $0 / $1 }
        var alias = 0
        Shape(strides).forEachCoordinate { steps in
            for (tap, offset) in offsets.enumerated() {
                var turns = 0.0
                for axis in offset.indices {
                    let whole = frequency[axis] + steps[axis] * outputs[axis]
                    turns += Double(whole * offset[axis] % extents[axis]) / Double(extents[axis])
                }
                let filter = (group * map.kernelPositions + tap) * block
                result.add(
                    map.filters[filter..<(filter + block)], at: alias * block,
                    real: share * cos(2 * .pi * turns), imaginary: -share * sin(2 * .pi * turns))
            }
            alias += 1
        }
        return result
    }
}
