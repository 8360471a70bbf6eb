package import EspalierOperators

/// The norms of one linear map: the euclidean one between two bounds, and that in l-infinity.
package struct OperatorNorm: Sendable, Hashable {
    /// What the upper bound rests on.
    package enum Proof: String, Sendable, Hashable, CaseIterable {
        /// The map multiplies each element by a factor: the largest one.
        case factors
        /// The largest sums of magnitudes of rows and columns (``AbsoluteSums/euclideanBound``), or of a matrix the
        /// root of the sum of squares.
        case sums
        /// Powers of a matrix's Gram matrix.
        case powers
        /// A circular convolution on a larger torus, by powers of the Gram matrices at its frequencies.
        case torus
        /// A Cholesky factorisation.
        case cholesky
    }

    /// The euclidean norm is at least this; 0 where it was not looked for.
    package let lower: Double
    /// The euclidean norm is at most this.
    package let upper: Double
    package let proof: Proof
    /// The best upper bound without a factorisation.
    package let cheapUpper: Double
    /// The operator norm in l-infinity, exact up to rounding, which is upwards.
    package let maximum: Double

    /// By how much the upper bound exceeds the lower one, as a share of it; 0 if both are 0.
    package var gap: Double { upper == lower ? 0 : upper / lower - 1 }

    package subscript(norm: VectorNorm) -> Double {
        norm == .euclidean ? upper : maximum
    }
}

/// How much work ``OperatorNorm`` may be.
package struct NormEffort: Sendable, Hashable {
    /// Only bounds that take no iteration over the whole map.
    package static let cheap = NormEffort(mostWork: 0, mostBytes: 0)
    /// With certificates; of layers that would take longer than about a minute only the cheap bound and a lower one.
    package static let tight = NormEffort(mostWork: 2e12, mostBytes: 4e9)

    /// The most multiplications and additions of one map's factorisation.
    package var mostWork: Double
    /// The most memory of it.
    package var mostBytes: Double

    package init(mostWork: Double, mostBytes: Double) {
        self.mostWork = mostWork
        self.mostBytes = mostBytes
    }
}

extension OperatorNorm {
    /// How far above the lower bound certificates are tried. The first one holds as soon as that bound has converged.
    private static let steps = [1.005, 1.009, 1.02, 1.05, 1.1, 1.25]

    /// Measures a map whose coefficients are all finite.
    ///
    /// - Parameter seed: of the vector from which the lower bound starts.
    /// - Throws: ``RobustnessError/lapack(_:_:)``.
    package init(_ map: LinearMap, effort: NormEffort = .tight, seed: UInt64 = 0) throws(RobustnessError) {
        if case .scaling(let factors) = map {
            let largest = factors.reduce(0) { max($0, $1.magnitude) }
            let upper = largest * (1 + Rounding.relative(4))
            self.init(lower: largest, upper: upper, proof: .factors, cheapUpper: upper, maximum: upper)
            return
        }
        let sums = AbsoluteSums(map)
        // Folding and inverse divisors round a coefficient up to four times.
        let coefficients = Rounding.relative(4) * sums.euclideanBound
        let maximum = sums.rows * (1 + Rounding.relative(4))
        let (bound, cheapProof) = Self.cheapBound(map, sums)
        let cheap = bound + coefficients
        guard effort != .cheap else {
            self.init(lower: 0, upper: cheap, proof: cheapProof, cheapUpper: cheap, maximum: maximum)
            return
        }
        let found = try LargestSingularValue(map, sums: sums, seed: seed).lower
        var (upper, proof) = (cheap, cheapProof)
        if let gram = GramMatrix(map), gram.factorisationWork <= effort.mostWork,
            gram.byteCount <= effort.mostBytes
        {
            for step in Self.steps where found * step < cheap {
                guard let bound = CholeskyCertificate.upperBound(gram, at: found * step, sums: sums)
                else { continue }
                if bound + coefficients < upper { (upper, proof) = (bound + coefficients, .cholesky) }
                break
            }
        }
        self.init(
            lower: max(0, found - coefficients), upper: upper, proof: proof, cheapUpper: cheap,
            maximum: maximum)
    }

    /// The most multiplications of a Gram matrix that count as cheap: a tenth of a second or so.
    private static let mostPowerWork = 1e9

    private static func cheapBound(_ map: LinearMap, _ sums: AbsoluteSums) -> (Double, Proof) {
        switch map {
        case .scaling: return (sums.rows, .factors)
        case .matrix(let matrix):
            let squares = matrix.elements.reduce(0) { $0 + $1 * $1 }
            let frobenius = squares.squareRoot() * (1 + Rounding.relative(matrix.elements.count + 4))
            let simple = min(frobenius, sums.euclideanBound)
            let least = min(matrix.rows, matrix.columns)
            guard Double(matrix.elements.count) * Double(least) <= mostPowerWork else {
                return (simple, .sums)
            }
            var power = HermitianPower(ComplexMatrix(matrix))
            while power.canImprove { power.square() }
            let bound =
                power.bound.squareRoot()
                * HermitianPower.slack(order: least, terms: max(matrix.rows, matrix.columns))
            return bound < simple ? (bound, .powers) : (simple, .sums)
        case .convolution(let convolution):
            let torus = TorusBound.upperBound(convolution)
            return torus < sums.euclideanBound ? (torus, .torus) : (sums.euclideanBound, .sums)
        }
    }
}
