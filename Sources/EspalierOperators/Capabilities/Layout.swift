package import EspalierTensors

/// How a value's elements lie in memory.
package enum Layout: Hashable, Sendable {
    /// Row-major.
    case plain

    /// The memory a value takes in this layout, which may pad axes.
    package func byteCount(shape: Shape, dtype: DType) -> Int {
        switch self {
        case .plain: shape.count * dtype.byteCount
        }
    }

    /// A kernel with one input and one output that copies a `float32` value from one layout to another.
    ///
    /// - Throws: ``OperatorError/kernel(_:)`` if the library below refuses.
    package static func reorder(
        from source: Layout, to target: Layout, shape: Shape
    ) throws(OperatorError) -> any Kernel {
        throw .kernel("no reorder from \(source) to \(target)")
    }
}
