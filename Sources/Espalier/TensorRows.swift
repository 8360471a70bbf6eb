package import EspalierTensors

extension Tensor {
    /// The slices in `range` of axis 0.
    ///
    /// - Precondition: there is an axis 0 and `range` lies in it.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
        var shape = shape
        shape[0] = range.count
        let row = shape.count(1..<shape.rank) * dtype.byteCount
        return Tensor(shape: shape, dtype: dtype) { target in
            withUnsafeBytes { source in
                target.copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: source[(range.lowerBound * row)..<(range.upperBound * row)]))
            }
        }
    }

    /// `parts` end to end along axis 0; nil if there is none or they do not fit.
    package init?(concatenating parts: [Tensor]) {
        guard let first = parts.first, first.shape.rank > 0,
            parts.allSatisfy({
                $0.dtype == first.dtype && $0.shape.extents.dropFirst() == first.shape.extents.dropFirst()
            })
        else { return nil }
        var shape = first.shape
        shape[0] = parts.reduce(0) { $0 + $1.shape[0] }
        self.init(shape: shape, dtype: first.dtype) { target in
            var start = 0
            for part in parts {
                part.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: target[start..<(start + $0.count)]).copyMemory(
                        from: $0)
                }
                start += part.byteCount
            }
        }
    }
}
