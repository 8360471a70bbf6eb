import CSparseKernels
package import EspalierTensors

/// Sums of single-precision arrays in double precision: what means over a whole data set are made of.
package struct StreamingSums: Sendable {
    package var values: [Double]

    /// All zero.
    package init(count: Int) {
        values = [Double](repeating: 0, count: count)
    }

    // Preconditions of all: `source` has at least as many elements as the sums.

    package mutating func add(_ source: UnsafeBufferPointer<Float>) {
        apply(source) { espalier_add_widened(espalier_isa_active(), $0, $1, $2) }
    }

    /// Squares are taken in double precision too.
    package mutating func addSquares(of source: UnsafeBufferPointer<Float>) {
        apply(source) { espalier_add_widened_squares(espalier_isa_active(), $0, $1, $2) }
    }

    package mutating func addMagnitudes(of source: UnsafeBufferPointer<Float>) {
        apply(source) { espalier_add_widened_magnitudes(espalier_isa_active(), $0, $1, $2) }
    }

    /// Adds the elementwise product.
    package mutating func addProducts(
        of left: UnsafeBufferPointer<Float>, and right: UnsafeBufferPointer<Float>
    ) {
        guard let right = right.baseAddress else { return }
        apply(left) { espalier_add_widened_products(espalier_isa_active(), $0, right, $1, $2) }
    }

    private mutating func apply(
        _ source: UnsafeBufferPointer<Float>,
        _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Double>, Int) -> Void
    ) {
        precondition(source.count >= values.count, "\(source.count) numbers for \(values.count) sums")
        values.withUnsafeMutableBufferPointer { target in
            guard let from = source.baseAddress, let to = target.baseAddress else { return }
            kernel(from, to, target.count)
        }
    }

    /// A part of the sums, scaled, as a `float32` tensor.
    package func tensor(_ range: Range<Int>, shape: Shape, scale: Double) -> Tensor {
        Tensor(shape: shape, scalars: values[range].map { Float($0 * scale) })
    }
}
