package import EspalierOperators

/// The largest sums of magnitudes of a map's rows and columns: its norms in l-infinity and l1, rounded up.
///
/// Both are exact for the true map up to rounding. With T terms in a sum, the computed sum of magnitudes is at least
/// (1 - T u) times the exact one, u = 2^-53.
package struct AbsoluteSums: Sendable, Hashable {
    /// The operator norm in l-infinity.
    package let rows: Double
    /// The operator norm in l1.
    package let columns: Double

    package init(_ map: LinearMap) {
        let magnitudes = map.magnitudes
        let ones = [Double](repeating: 1, count: map.inputCount)
        let otherOnes = [Double](repeating: 1, count: map.outputCount)
        let slack = 1 + Rounding.relative(map.mostTerms + 2)
        rows = (magnitudes.apply(ones).max() ?? 0) * slack
        columns = (magnitudes.applyTransposed(otherOnes).max() ?? 0) * slack
    }

    /// A bound of the euclidean operator norm, also that of the matrix of magnitudes (Schur 1911): the root of the
    /// product of both.
    package var euclideanBound: Double {
        rows.squareRoot() * columns.squareRoot() * (1 + Rounding.relative(4))
    }
}

/// Bounds of what rounding to double precision does.
enum Rounding {
    /// Twice k u, u = 2^-53, which is more than gamma(k) = k u / (1 - k u) (Higham 2002, section 3.1): the relative error of k
    /// roundings in a row.
    static func relative(_ count: Int) -> Double { Double(count) * Double.ulpOfOne }
}
