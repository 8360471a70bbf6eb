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
        var result = ComplexMatrix(rows: columns, columns: columns)
        real.withUnsafeBufferPointer { real in
            imaginary.withUnsafeBufferPointer { imaginary in
                result.real.withUnsafeMutableBufferPointer { resultReal in
                    result.imaginary.withUnsafeMutableBufferPointer { resultImaginary in
                        guard let real = real.baseAddress, let imaginary = imaginary.baseAddress,
                            let resultReal = resultReal.baseAddress,
                            let resultImaginary = resultImaginary.baseAddress
                        else { return }
                        for row in 0..<rows {
                            let (lineReal, lineImaginary) = (real + row * columns, imaginary + row * columns)
                            for column in 0..<columns {
                                // The conjugate of the element, times the row.
                                let a = scale * scale * lineReal[column]
                                let b = -scale * scale * lineImaginary[column]
                                let (x, y) = (
                                    resultReal + column * columns, resultImaginary + column * columns
                                )
                                addScaled(lineReal, by: a, to: x, count: columns)
                                addScaled(lineImaginary, by: -b, to: x, count: columns)
                                addScaled(lineImaginary, by: a, to: y, count: columns)
                                addScaled(lineReal, by: b, to: y, count: columns)
                            }
                        }
                    }
                }
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
