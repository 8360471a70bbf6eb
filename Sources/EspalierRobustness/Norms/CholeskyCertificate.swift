import EspalierOperators

/// Proves that a linear map A is no longer than t by a Cholesky factorisation of t^2 I - A^T A (or t^2 I - A A^T), and
/// says by how much rounding may have deceived it (after Rump, "Verification of positive definiteness", 2006).
///
/// Let u = 2^-53, gamma(k) = k u / (1 - k u), tau = t * t as computed, G the exact Gram matrix of the coefficients at hand,
/// G' the computed one, M the computed tau I - G' and b its bandwidth. If the factorisation gets through,
/// M + D = L L^T is positive semidefinite, so every eigenvalue of G is at most tau + |M - (tau I - G)| + |D| in the
/// spectral norm:
///
/// - An element of G' is a sum of at most T products, T the terms of the map's longest sum, perhaps with two more factors:
///   |G' - G| <= gamma(T + 4) |A|^T |A|, whose norm the largest sums of rows and of columns of |A| bound.
/// - The subtraction on the diagonal is wrong by u tau at most.
/// - |D| <= gamma(b + 3) |L| |L^T| element by element, whatever the order of the sums (Higham 2002, theorem 10.3), which by
///   the Cauchy-Schwarz inequality is at most gamma(b + 3) / (1 - gamma(b + 3)) times the largest diagonal element of M,
///   tau (1 + u). There are at most 2 b + 1 elements in a row, and as many times an element bounds the norm.
///
/// Each gamma is taken twice, which covers the rest. Filters are far from where products underflow, and where they are not,
/// there is no certificate.
package enum CholeskyCertificate {
    /// An upper bound of the norm hardly above `t`; nil if it could not be proved.
    package static func upperBound(_ gram: GramMatrix, at t: Double, sums: AbsoluteSums) -> Double? {
        let square = t * t
        guard square > 1e-200, square.isFinite else { return nil }
        for index in 0..<gram.blockCount {
            var matrix = gram.block(index)
            matrix.subtract(from: square)
            guard matrix.factorise() else { return nil }
        }
        let width = Double(2 * gram.bandwidth + 1)
        let slack =
            Rounding.relative(gram.map.mostTerms + 4) * sums.rows * sums.columns
            + (Rounding.relative(2) + Rounding.relative(gram.bandwidth + 3) * width) * square
        return (square + slack).squareRoot().nextUp
    }
}
