import EspalierOperators

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A complex matrix, row-major, real and imaginary parts apart.
struct ComplexMatrix {
    let rows: Int
    let columns: Int
    private(set) var real: [Double]
    private(set) var imaginary: [Double]

    init(_ matrix: MatrixMap) {
        (rows, columns, real) = (matrix.rows, matrix.columns, matrix.elements)
        imaginary = [Double](repeating: 0, count: real.count)
    }

    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        real = [Double](repeating: 0, count: rows * columns)
        imaginary = real
    }

    /// Adds a complex factor times `elements` to as many elements from `start` on.
    mutating func add(_ elements: ArraySlice<Double>, at start: Int, real factor: Double, imaginary: Double) {
        Self.add(elements, times: factor, to: &real, at: start)
        Self.add(elements, times: imaginary, to: &self.imaginary, at: start)
    }

    private static func add(
        _ elements: ArraySlice<Double>, times factor: Double, to target: inout [Double], at start: Int
    ) {
        elements.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                addScaled(source, by: factor, to: target + start, count: elements.count)
            }
        }
    }

    var transposed: ComplexMatrix {
        var result = ComplexMatrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns {
                result.real[column * rows + row] = real[row * columns + column]
                result.imaginary[column * rows + row] = imaginary[row * columns + column]
            }
        }
        return result
    }

    var frobeniusNorm: Double {
        func squares(_ elements: [Double]) -> Double {
            elements.withUnsafeBufferPointer { elements in
                elements.baseAddress.map { dotProduct($0, $0, count: elements.count) } ?? 0
            }
        }
        return (squares(real) + squares(imaginary)).squareRoot()
    }

    /// scale^2 B^H B, of as many rows and columns as this matrix B has columns.
    func gram(scale: Double) -> ComplexMatrix {
        // With B = X + i Y: X^T X + Y^T Y, and i times X^T Y - Y^T X.
        let (left, right) = (real + imaginary, imaginary + real.map(-))
        let sums = TriangleProduct.product(left, left, depth: 2 * rows, order: columns)
        let differences = TriangleProduct.product(left, right, depth: 2 * rows, order: columns)
        var result = ComplexMatrix(rows: columns, columns: columns)
        let factor = scale * scale
        for column in 0..<columns {
            for row in column..<columns {
                let (place, mirrored) = (row * columns + column, column * columns + row)
                result.real[place] = factor * sums[mirrored]
                result.real[mirrored] = factor * sums[mirrored]
                result.imaginary[place] = factor * differences[mirrored]
                result.imaginary[mirrored] = -factor * differences[mirrored]
            }
        }
        return result
    }
}

/// The largest eigenvalue of H = B^H B from above, by squaring H again and again (Delattre et al. 2023).
struct HermitianPower {
    private var matrix: ComplexMatrix
    /// The logarithm of the number that `matrix`'s power was divided by, as a factor of H.
    private var logarithm = 0.0
    /// How often H was squared; -1 while `matrix` is still B.
    private(set) var squarings = -1
    /// At least the largest eigenvalue of H.
    private(set) var bound: Double

    var order: Int { matrix.columns }

    /// How often a matrix is squared at most: with n rows or columns, the norm's bound is then n^(1/256) too large at worst.
    static let mostSquarings = 6

    /// Whether squaring once more would make ``bound`` any smaller and is allowed.
    var canImprove: Bool { order > 1 && squarings < Self.mostSquarings }

    /// What rounding may have taken from ``bound``, as a factor of the norm. Each squaring is wrong by gamma(4 n) of the
    /// squared Frobenius norm, which is at most n times the squared largest eigenvalue; roots halve what was there
    /// before. Logarithms and exponentials are covered by the 64.
    static func slack(order: Int, terms: Int) -> Double {
        1 + Rounding.relative(8) * Double(order) * Double(order + terms + 64)
    }

    init(_ factor: ComplexMatrix) {
        matrix = factor.columns <= factor.rows ? factor : factor.transposed
        let norm = matrix.frobeniusNorm
        bound = norm * norm
    }

    /// Squares once more, or makes H of B.
    mutating func square() {
        let norm = matrix.frobeniusNorm
        guard norm > 0 else { squarings += 1; return }
        // H is Hermitian: H^H H is its square. B is of half the power of H.
        matrix = matrix.gram(scale: 1 / norm)
        squarings += 1
        let power = Double(sign: .plus, exponent: squarings, significand: 1)
        logarithm += 2 * log(norm) / power
        bound = min(bound, exp(logarithm + log(matrix.frobeniusNorm) / power))
    }
}
