/// Cholesky factors of small symmetric positive definite matrices, in double precision, row-major.
///
/// For blocks of some tens of rows, of which there are thousands: a call into LAPACK would cost more than it saves.
enum SmallCholesky {
    /// Replaces the lower triangle by the factor L of A = L L^T; the upper one is not touched.
    ///
    /// - Returns: false if the matrix is not positive definite; it is then partly overwritten.
    static func factorize(_ matrix: UnsafeMutablePointer<Double>, size: Int) -> Bool {
        for row in 0..<size {
            let line = matrix + row * size
            for column in 0...row {
                let other = matrix + column * size
                var sum = line[column]
                for index in 0..<column { sum -= line[index] * other[index] }
                if column < row {
                    line[column] = sum / other[column]
                } else {
                    guard sum > 0, sum.isFinite else { return false }
                    line[row] = sum.squareRoot()
                }
            }
        }
        return true
    }

    /// Solves L L^T x = b in place.
    static func solve(
        _ factor: UnsafePointer<Double>, size: Int, _ vector: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<size {
            var sum = vector[row]
            for column in 0..<row { sum -= factor[row * size + column] * vector[column] }
            vector[row] = sum / factor[row * size + row]
        }
        for row in (0..<size).reversed() {
            var sum = vector[row]
            for column in (row + 1)..<max(size, row + 1) {
                sum -= factor[column * size + row] * vector[column]
            }
            vector[row] = sum / factor[row * size + row]
        }
    }

    /// Replaces a matrix by its inverse, both triangles.
    ///
    /// - Returns: false if it is not positive definite.
    static func invert(_ matrix: UnsafeMutablePointer<Double>, size: Int) -> Bool {
        guard factorize(matrix, size: size) else { return false }
        // L^-1 in place, column by column; then A^-1 = L^-T L^-1.
        for column in 0..<size {
            matrix[column * size + column] = 1 / matrix[column * size + column]
            for row in (column + 1)..<max(size, column + 1) {
                var sum = 0.0
                for index in column..<row {
                    sum -= matrix[row * size + index] * matrix[index * size + column]
                }
                matrix[row * size + column] = sum / matrix[row * size + row]
            }
        }
        for row in 0..<size {
            for column in 0...row {
                var sum = 0.0
                for index in row..<size {
                    sum += matrix[index * size + row] * matrix[index * size + column]
                }
                // Entries below `row` are still those of L^-1: only this row and column are final.
                matrix[column * size + row] = sum
            }
        }
        for row in 0..<size {
            for column in 0..<row { matrix[row * size + column] = matrix[column * size + row] }
        }
        return true
    }
}
