/// Means and covariances of some variables, from observations that are seen once, in double precision.
///
/// A batch is centred on its own mean before its products are summed, and joined with what was seen before by the pairwise
/// update (Chan, Golub & LeVeque 1979), which for a batch of one is Welford's (1962). Nothing is ever subtracted that is
/// large beside the result, as the mean of squares less the square of the mean would be.
package struct StreamingCovariance: Sendable {
    package let variableCount: Int
    package private(set) var count = 0
    package private(set) var means: [Double]
    /// Sums of products of deviations, row-major; the lower triangle.
    private var products: [Double]

    package init(variableCount: Int) {
        self.variableCount = variableCount
        means = [Double](repeating: 0, count: variableCount)
        products = [Double](repeating: 0, count: variableCount * variableCount)
    }

    /// Takes up observations.
    ///
    /// - Parameter rows: one observation after the other, each a value for every variable; changed to deviations.
    /// - Precondition: its count is a multiple of the number of variables.
    package mutating func add(_ rows: inout [Double]) {
        let p = variableCount
        guard p > 0, !rows.isEmpty else { return }
        precondition(rows.count % p == 0, "\(rows.count) values are not observations of \(p) variables")
        let n = rows.count / p
        var batch = StreamingCovariance(variableCount: p)
        batch.count = n
        for row in 0..<n {
            for i in 0..<p { batch.means[i] += rows[row * p + i] }
        }
        for i in 0..<p { batch.means[i] /= Double(n) }
        for row in 0..<n {
            for i in 0..<p { rows[row * p + i] -= batch.means[i] }
        }
        // Rows in fours, so that each sum is read and written once for four products.
        while rows.count % (4 * p) != 0 { rows.append(0) }
        rows.withUnsafeBufferPointer { rows in
            batch.products.withUnsafeMutableBufferPointer { sums in
                for start in stride(from: 0, to: rows.count, by: 4 * p) {
                    Self.accumulate(rows, start, p, into: sums)
                }
            }
        }
        merge(batch)
    }

    private static func accumulate(
        _ rows: UnsafeBufferPointer<Double>, _ start: Int, _ p: Int,
        into sums: UnsafeMutableBufferPointer<Double>
    ) {
        for i in 0..<p {
            let (a, b) = (rows[start + i], rows[start + p + i])
            let (c, d) = (rows[start + 2 * p + i], rows[start + 3 * p + i])
            // Of activations many are zero.
            if a == 0, b == 0, c == 0, d == 0 { continue }
            let row = i * p
            for j in 0...i {
                sums[row + j] +=
                    a * rows[start + j] + b * rows[start + p + j] + c * rows[start + 2 * p + j]
                    + d * rows[start + 3 * p + j]
            }
        }
    }

    /// Takes up all that another has seen.
    ///
    /// - Precondition: both have the same variables.
    package mutating func merge(_ other: StreamingCovariance) {
        precondition(other.variableCount == variableCount, "these are other variables")
        guard other.count > 0 else { return }
        let (n, m) = (Double(count), Double(other.count))
        let shift = zip(other.means, means).map { $0 - $1 }
        let p = variableCount
        for i in 0..<p {
            let scaled = shift[i] * (n * m / (n + m))
            for j in 0...i { products[i * p + j] += other.products[i * p + j] + scaled * shift[j] }
            means[i] += shift[i] * (m / (n + m))
        }
        count += other.count
    }

    /// The mean product of deviations of two variables; 0 before anything was seen.
    package func covariance(_ i: Int, _ j: Int) -> Double {
        guard count > 0 else { return 0 }
        return products[max(i, j) * variableCount + min(i, j)] / Double(count)
    }

    package func variance(_ i: Int) -> Double { covariance(i, i) }

    /// Whether a variable never changed, but for rounding: activations have 24 binary digits.
    package func isConstant(_ i: Int) -> Bool {
        variance(i).squareRoot() <= 1e-7 * abs(means[i])
    }

    /// The linear correlation; 0 where one of them is constant.
    package func correlation(_ i: Int, _ j: Int) -> Double {
        guard !isConstant(i), !isConstant(j) else { return 0 }
        let scale = variance(i).squareRoot() * variance(j).squareRoot()
        return scale > 0 ? max(-1, min(1, covariance(i, j) / scale)) : 0
    }
}
