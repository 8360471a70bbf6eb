import CSparseKernels

/// Sums of outer products r r^T of single-precision rows in double precision: the blocks that a Fisher matrix is made of.
package enum OuterProductSums {
    /// target += sum over rows of r r^T.
    ///
    /// - Parameters:
    ///   - rows: the first row; `count` rows begin `stride` numbers apart.
    ///   - size: numbers in a row.
    ///   - scratch: room for `size` numbers.
    ///   - target: [size, size], row-major.
    package static func add(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, size: Int,
        scratch: UnsafeMutablePointer<Double>, to target: UnsafeMutablePointer<Double>
    ) {
        espalier_add_outer_products(espalier_isa_active(), rows, count, stride, size, scratch, target)
    }
}
