import EspalierTensors

/// The numerical rank of small matrices of single-precision numbers: of feature maps.
///
/// The number of singular values above the largest one times the larger extent times the spacing of single-precision
/// numbers, which is what NumPy's `matrix_rank` counts. They are the roots of the Gram matrix's eigenvalues, which are
/// not computed but counted: the matrix is brought to tridiagonal form (Householder 1958) and the signs of its Sturm
/// sequence say how many lie above a bound (Givens 1954). In double precision squaring loses nothing that matters here.
package struct MatrixRank {
    private let rows: Int
    private let columns: Int
    /// The extent of the Gram matrix, the smaller one.
    private let size: Int
    private var gram: [Double]
    private var diagonal: [Double]
    private var squares: [Double]
    private var vector: [Double]

    /// Makes room for matrices of one shape.
    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        size = min(rows, columns)
        gram = [Double](repeating: 0, count: size * size)
        diagonal = [Double](repeating: 0, count: size)
        squares = diagonal
        vector = diagonal
    }

    /// The rank of a row-major matrix; 0 if it holds anything that is not finite.
    package mutating func rank(_ matrix: UnsafeBufferPointer<Float>) -> Int {
        guard size > 0 else { return 0 }
        formGram(matrix)
        let trace = (0..<size).reduce(0) { $0 + gram[$1 * size + $1] }
        guard trace > 0, trace.isFinite else { return 0 }
        tridiagonalize()
        let tolerance = Double(max(rows, columns)) * Double(Float.ulpOfOne)
        let largest = largestEigenvalue(below: trace)
        return count(above: largest * tolerance * tolerance)
    }

    private mutating func formGram(_ matrix: UnsafeBufferPointer<Float>) {
        let (inner, along, across) =
            rows <= columns ? (columns, columns, 1) : (rows, 1, columns)
        for first in 0..<size {
            for second in 0...first {
                var sum = 0.0
                var (left, right) = (first * along, second * along)
                for _ in 0..<inner {
                    sum += Double(matrix[left]) * Double(matrix[right])
                    left += across
                    right += across
                }
                gram[first * size + second] = sum
                gram[second * size + first] = sum
            }
        }
    }

    /// Householder reflections from both sides; leaves the diagonal and the squared off-diagonal.
    private mutating func tridiagonalize() {
        let n = size
        for pivot in 0..<n {
            diagonal[pivot] = gram[pivot * n + pivot]
            squares[pivot] = 0
            guard pivot + 1 < n else { break }
            var norm = 0.0
            for row in (pivot + 1)..<n { norm += gram[row * n + pivot] * gram[row * n + pivot] }
            squares[pivot] = norm
            let head = gram[(pivot + 1) * n + pivot]
            let tail = norm - head * head
            guard tail > 0, pivot + 2 < n else { continue }
            // v = x + sign(x1) |x| e1, kept in the column; A <- A - v w^T - w v^T with w = p - (v.p / v.v) v.
            let first = head + (head < 0 ? -norm.squareRoot() : norm.squareRoot())
            gram[(pivot + 1) * n + pivot] = first
            let half = (first * first + tail) / 2
            var product = 0.0
            for row in (pivot + 1)..<n {
                var sum = 0.0
                for column in (pivot + 1)..<n {
                    sum += gram[row * n + column] * gram[column * n + pivot]
                }
                vector[row] = sum / half
                product += vector[row] * gram[row * n + pivot]
            }
            let shift = product / (2 * half)
            for row in (pivot + 1)..<n { vector[row] -= shift * gram[row * n + pivot] }
            for row in (pivot + 1)..<n {
                let (v, w) = (gram[row * n + pivot], vector[row])
                for column in (pivot + 1)..<n {
                    gram[row * n + column] -= v * vector[column] + w * gram[column * n + pivot]
                }
            }
        }
    }

    /// How many eigenvalues of the tridiagonal matrix lie above `bound`.
    private func count(above bound: Double) -> Int {
        var count = 0
        var pivot = 1.0
        for index in 0..<size {
            let coupling = index == 0 ? 0 : squares[index - 1] / pivot
            pivot = diagonal[index] - bound - coupling
            if pivot == 0 { pivot = -.leastNormalMagnitude }
            if pivot > 0 { count += 1 }
        }
        return count
    }

    /// By bisection; the trace of a Gram matrix is no smaller.
    private func largestEigenvalue(below trace: Double) -> Double {
        var (low, high) = (trace / Double(size) * 0.999, trace * 1.001)
        for _ in 0..<60 where high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if count(above: middle) > 0 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
