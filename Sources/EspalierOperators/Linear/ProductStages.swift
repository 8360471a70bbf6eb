import EspalierTensors

extension DenseProduct {
    /// Adds the squared gradient of the right side, summed over the rows, each of which is a sample.
    func addSquaredRightGradient(
        to builder: inout StagedKernel.Builder, left: StagedKernel.Place, gradient: StagedKernel.Place,
        into target: StagedKernel.Place
    ) throws(OperatorError) {
        let leftSquares = builder.scratch(byteCount: 4 * leftCount)
        let gradientSquares = builder.scratch(byteCount: 4 * outputCount)
        builder.addSquare(of: left, into: leftSquares, count: leftCount)
        builder.addSquare(of: gradient, into: gradientSquares, count: outputCount)
        try squaringAlpha().addRightGradient(
            to: &builder, left: leftSquares, gradient: gradientSquares, into: target)
    }
}

extension StagedKernel.Builder {
    mutating func addZeroes(_ target: StagedKernel.Place, count: Int) {
        loop([target]) { memory in
            memory[0]?.assumingMemoryBound(to: Float.self).update(repeating: 0, count: count)
        }
    }

    /// The place of `scale` times a value: a copy, or the value itself.
    mutating func addScaled(
        _ source: StagedKernel.Place, by scale: Float, count: Int
    ) -> StagedKernel.Place {
        guard scale != 1 else { return source }
        let target = scratch(byteCount: 4 * count)
        loop([source, target]) { memory in
            guard let source = memory[0]?.assumingMemoryBound(to: Float.self),
                let target = memory[1]?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in 0..<count { target[index] = scale * source[index] }
        }
        return target
    }

    /// target = source^2.
    mutating func addSquare(of source: StagedKernel.Place, into target: StagedKernel.Place, count: Int) {
        loop([source, target]) { memory in
            guard let source = memory[0], let target = memory[1] else { return }
            ElementLoops.square(
                source.assumingMemoryBound(to: Float.self), into: target.assumingMemoryBound(to: Float.self),
                count: count)
        }
    }

    /// target += source^2.
    mutating func addSquares(of source: StagedKernel.Place, to target: StagedKernel.Place, count: Int) {
        loop([source, target]) { memory in
            guard let source = memory[0], let target = memory[1] else { return }
            ElementLoops.addSquares(
                of: source.assumingMemoryBound(to: Float.self),
                to: target.assumingMemoryBound(to: Float.self),
                count: count)
        }
    }

    /// The backward kernel of a product of inputs 0 and 1: all plain, each side read for the other's gradient.
    consuming func productGradientKernel(_ context: BackwardContext) -> StagedKernel {
        var unread = Set(0..<context.backwardInputCount)
        unread.remove(context.gradientPort())
        if context.isWanted(0) { unread.remove(1) }
        if context.isWanted(1) { unread.remove(0) }
        return kernel(
            inputLayouts: [Layout](repeating: .plain, count: context.backwardInputCount),
            outputLayouts: [Layout](repeating: .plain, count: context.inputCount), unreadInputs: unread)
    }
}
