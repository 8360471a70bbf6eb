/// sum_i (u_i / (nu + k d_i))^2 = 1, to be solved for the norm nu that a group is left with; see ``MetricShrinkage``.
///
/// With f the sum, 1 / sqrt(f) - 1 is increasing and concave in nu, as in the secular equation of trust regions (Conn, Gould
/// & Toint 2000, lemma 7.3.1), and straight where all d_i are equal. So Newton's method on it, begun to the left of the root,
/// climbs to the root without passing it: mostly in two or three steps, in 13 for the worst of thousands of groups whose d_i
/// spanned twelve orders of magnitude.
struct NormEquation<Real: BinaryFloatingPoint> {
    let penalty: Double
    let metric: UnsafeBufferPointer<Real>
    let values: UnsafeBufferPointer<Real>
    let slices: [WeightSlice]

    /// 0 where there is no positive root; NaN if a value is not finite.
    func root() -> Double {
        guard var (lower, upper) = bracket() else { return 0 }
        var norm = lower
        for _ in 0..<100 {
            let (sum, slope) = sums(at: norm)
            let excess = sum.squareRoot() - 1
            guard excess.isFinite else { return .nan }
            let next = norm + sum * excess / slope
            if abs(excess) <= 4 * Double.ulpOfOne || abs(next - norm) <= 2 * norm.ulp {
                return max(next, 0)
            }
            // Rounding alone can send a step out of the bracket.
            if excess > 0 { lower = norm } else { upper = norm }
            norm = next > lower && next < upper ? next : (lower + upper) / 2
        }
        return norm
    }

    /// Bounds of the root; nil where there is none.
    ///
    /// No term of the sum is above 1 at the root, so nu >= |u_i| - k d_i for each i; and with the smallest or greatest d_i in
    /// place of each, the root would be ||u|| - k d.
    func bracket() -> (lower: Double, upper: Double)? {
        var (dualSquares, squares, single) = (0.0, 0.0, 0.0)
        var (least, greatest) = (Double.infinity, 0.0)
        forEach { value, scale in
            guard value != 0 else { return }
            dualSquares += (value / scale) * (value / scale)
            squares += value * value
            single = max(single, abs(value) - penalty * scale)
            least = min(least, scale)
            greatest = max(greatest, scale)
        }
        guard !(dualSquares.squareRoot() <= penalty) else { return nil }
        let norm = squares.squareRoot()
        return (max(single, norm - penalty * greatest), norm - penalty * least)
    }

    /// The sum, and the sum of its terms divided by nu + k d_i, which is minus half its derivative.
    func sums(at norm: Double) -> (sum: Double, slope: Double) {
        var (sum, slope) = (0.0, 0.0)
        forEach { value, scale in
            let inverse = 1 / (norm + penalty * scale)
            let square = (value * inverse) * (value * inverse)
            sum += square
            slope += square * inverse
        }
        return (sum, slope)
    }

    func forEach(_ body: (_ value: Double, _ scale: Double) -> Void) {
        guard let base = values.baseAddress, let scales = metric.baseAddress else { return }
        for slice in slices {
            slice.forEachRun(in: values.count) { start in
                for element in start..<start + slice.runLength {
                    body(Double(base[element]), Double(scales[element]))
                }
            }
        }
    }
}
