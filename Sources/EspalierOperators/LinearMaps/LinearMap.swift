/// The linear part of an affine operator in double precision: what its operator norm is the norm of.
///
/// A map may be given by one of several equal blocks that act on different elements (the samples of a batch, the rows
/// of a product): norms are those of the block. The order of a vector's elements is each map's own; norms do not
/// depend on it either.
package enum LinearMap: Sendable {
    /// Multiplies each element by a factor; the same factors may serve many elements.
    case scaling([Double])
    case matrix(MatrixMap)
    case convolution(ConvolutionMap)

    package var inputCount: Int {
        switch self {
        case .scaling(let factors): factors.count
        case .matrix(let map): map.columns
        case .convolution(let map): map.inputCount
        }
    }

    package var outputCount: Int {
        switch self {
        case .scaling(let factors): factors.count
        case .matrix(let map): map.rows
        case .convolution(let map): map.outputCount
        }
    }

    /// The most products that are summed for one element of the output, or of the input when it is transposed: what
    /// rounding errors grow with.
    package var mostTerms: Int {
        switch self {
        case .scaling: 1
        case .matrix(let map): max(map.rows, map.columns)
        case .convolution(let map): map.mostTerms
        }
    }

    /// The image of `vector`.
    ///
    /// - Precondition: it has ``inputCount`` elements.
    package func apply(_ vector: [Double]) -> [Double] {
        switch self {
        case .scaling(let factors): zip(factors, vector).map { $0 * $1 }
        case .matrix(let map): map.apply(vector)
        case .convolution(let map): map.apply(vector)
        }
    }

    /// The image of `vector` under the transposed map.
    ///
    /// - Precondition: it has ``outputCount`` elements.
    package func applyTransposed(_ vector: [Double]) -> [Double] {
        switch self {
        case .scaling(let factors): zip(factors, vector).map { $0 * $1 }
        case .matrix(let map): map.applyTransposed(vector)
        case .convolution(let map): map.applyTransposed(vector)
        }
    }

    /// The map whose coefficients are the magnitudes of this one's.
    package var magnitudes: LinearMap {
        switch self {
        case .scaling(let factors): .scaling(factors.map(\.magnitude))
        case .matrix(let map): .matrix(map.mapElements(\.magnitude))
        case .convolution(let map): .convolution(map.magnitudes)
        }
    }

    /// Whether every coefficient is a finite number.
    package var isFinite: Bool {
        switch self {
        case .scaling(let factors): factors.allSatisfy(\.isFinite)
        case .matrix(let map): map.elements.allSatisfy(\.isFinite)
        case .convolution(let map): map.isFinite
        }
    }
}
