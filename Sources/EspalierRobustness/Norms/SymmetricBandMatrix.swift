import CSparseKernels

/// A symmetric matrix whose elements further than ``bandwidth`` from the diagonal are zero, by its lower triangle.
struct SymmetricBandMatrix {
    let order: Int
    let bandwidth: Int
    /// From one column to the next. Element (row, column) is at column * stride + row - column.
    let stride: Int
    var elements: [Double]

    /// Zeros.
    init(order: Int, bandwidth: Int) {
        self.order = order
        self.bandwidth = min(bandwidth, max(order - 1, 0))
        stride = self.bandwidth + ESPALIER_BAND_CHOLESKY_BLOCK
        elements = [Double](repeating: 0, count: order * stride)
    }

    /// Replaces the matrix A by shift - A.
    mutating func subtract(from shift: Double) {
        for index in elements.indices { elements[index] = -elements[index] }
        for column in 0..<order { elements[column * stride] += shift }
    }

    /// Replaces the matrix by its Cholesky factor.
    ///
    /// - Returns: whether it got through: every pivot was positive and finite.
    mutating func factorise() -> Bool {
        guard order > 0 else { return true }
        var scratch = [Double](repeating: 0, count: espalier_band_cholesky_scratch(bandwidth))
        return elements.withUnsafeMutableBufferPointer { elements in
            scratch.withUnsafeMutableBufferPointer { scratch in
                espalier_band_cholesky(
                    espalier_isa_active(), elements.baseAddress, order, bandwidth, stride, scratch.baseAddress
                )
                    == order
            }
        }
    }
}
