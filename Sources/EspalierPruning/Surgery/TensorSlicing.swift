package import EspalierTensors

extension Tensor {
    /// The slices with the given indices along an axis, in that order, laid together.
    ///
    /// - Precondition: the indices are within the axis.
    package func selecting(_ indices: [Int], axis: Int) -> Tensor {
        var newShape = shape
        newShape[axis] = indices.count
        let inner = shape.strides[axis] * dtype.byteCount
        let extent = shape[axis]
        let outerCount = shape.count(0..<axis)
        return withUnsafeBytes { source in
            Tensor(shape: newShape, dtype: dtype) { target in
                var position = 0
                for outer in 0..<outerCount {
                    for index in indices {
                        let start = (outer * extent + index) * inner
                        let slice = UnsafeRawBufferPointer(rebasing: source[start..<(start + inner)])
                        UnsafeMutableRawBufferPointer(rebasing: target[position..<(position + inner)])
                            .copyMemory(from: slice)
                        position += inner
                    }
                }
            }
        }
    }

    /// Whether both have the same type, shape and bits.
    func isIdentical(to other: Tensor) -> Bool {
        guard dtype == other.dtype, shape == other.shape else { return false }
        return withUnsafeBytes { mine in other.withUnsafeBytes { mine.elementsEqual($0) } }
    }
}
