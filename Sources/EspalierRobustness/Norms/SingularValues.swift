import CLAPACK
package import EspalierOperators

/// The singular value decomposition of a small dense matrix, by LAPACK.
package struct SingularValues: Sendable {
    /// In descending order.
    package let values: [Double]
    /// The right singular vector of the largest one, of unit length.
    package let firstRight: [Double]

    /// - Throws: ``RobustnessError/lapack(_:_:)``.
    package init(_ matrix: MatrixMap) throws(RobustnessError) {
        let least = min(matrix.rows, matrix.columns)
        guard least > 0 else {
            (values, firstRight) = ([], [])
            return
        }
        // Stored by columns.
        var elements = matrix.transposed.elements
        var values = [Double](repeating: 0, count: least)
        var left = [Double](repeating: 0, count: matrix.rows * least)
        var right = [Double](repeating: 0, count: least * matrix.columns)
        var indices = [Int32](repeating: 0, count: 8 * least)
        var work = [0.0]
        var size: Int32 = -1
        for _ in 0..<2 {
            let answer = espalier_lapack_dgesdd(
                Int32(matrix.rows), Int32(matrix.columns), &elements, &values, &left, &right, &work, size,
                &indices)
            guard answer == 0 else { throw .lapack("dgesdd", Int(answer)) }
            if size < 0 {
                size = Int32(work[0])
                work = [Double](repeating: 0, count: Int(size))
            }
        }
        self.values = values
        firstRight = (0..<matrix.columns).map { right[$0 * least] }
    }
}
