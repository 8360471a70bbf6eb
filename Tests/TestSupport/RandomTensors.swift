package import EspalierTensors

extension Tensor {
    /// Uniform numbers that `float32` holds exactly, whatever the (floating-point) type.
    package static func random(
        _ shape: Shape, in range: ClosedRange<Float> = -1...1, seed: UInt64, dtype: DType = .float32
    ) -> Tensor {
        var random = RandomSource(seed: seed)
        let scalars = (0..<shape.count).map { _ in random.uniform(in: range) }
        return Tensor(shape: shape, scalars: scalars).converted(to: dtype)
    }

    /// Numbers spread evenly over the range, in random order: no two are near each other, so that maxima are
    /// differentiable.
    package static func distinct(
        _ shape: Shape, in range: ClosedRange<Float> = -1...1, seed: UInt64, dtype: DType = .float32
    ) -> Tensor {
        var random = RandomSource(seed: seed)
        let count = shape.count
        let step = (range.upperBound - range.lowerBound) / Float(max(count, 1))
        let scalars = (0..<count).map { range.lowerBound + (Float($0) + 0.5) * step }.shuffled(using: &random)
        return Tensor(shape: shape, scalars: scalars).converted(to: dtype)
    }

    /// Uniform integers, also as truth values and as floating-point numbers.
    package static func randomIntegers(
        _ shape: Shape, in range: ClosedRange<Int64>, seed: UInt64, dtype: DType = .int64
    ) -> Tensor {
        var random = RandomSource(seed: seed)
        let scalars = (0..<shape.count).map { _ in Int64.random(in: range, using: &random) }
        return Tensor(shape: shape, scalars: scalars).converted(to: dtype)
    }
}

extension RandomSource {
    /// The source whose stream belongs to a name: tests that need no seed of their own are told apart by it.
    package static func named(_ name: String) -> RandomSource {
        RandomSource(seed: 1).split(name)
    }
}

extension NDArray {
    /// The slices on `axis` at the given indices, in that order.
    package func slices(_ indices: [Int], axis: Int) -> NDArray {
        let outer = shape.count(0..<axis)
        let inner = shape.count((axis + 1)..<shape.rank)
        var result: [Element] = []
        result.reserveCapacity(outer * indices.count * inner)
        for block in 0..<outer {
            for index in indices {
                let start = (block * shape[axis] + index) * inner
                result += elements[start..<(start + inner)]
            }
        }
        var extents = shape
        extents[axis] = indices.count
        return NDArray(shape: extents, elements: result)
    }

    /// This array with every element of the given slices on `axis` replaced.
    package func settingSlices(_ indices: [Int], axis: Int, to element: Element) -> NDArray {
        var result = self
        let inner = shape.count((axis + 1)..<shape.rank)
        for block in 0..<shape.count(0..<axis) {
            for index in indices {
                let start = (block * shape[axis] + index) * inner
                for position in start..<(start + inner) { result.elements[position] = element }
            }
        }
        return result
    }
}
