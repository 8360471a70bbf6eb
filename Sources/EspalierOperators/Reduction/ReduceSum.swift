import EspalierTensors

/// The sum of the elements along some axes; 0 of none.
package struct ReduceSum: AxisReduction {
    package static let schemas = [OperatorSchema("ReduceSum")]

    let attributes: ReductionAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try ReductionAttributes(attributes)
    }

    func reduced<Real: ReferenceReal>(_ elements: [Real]) -> Real { elements.reduce(0, +) }
    func reduced<Whole: FixedWidthInteger>(_ elements: [Whole]) -> Whole? { elements.reduce(0, &+) }
    func reduced(_ elements: [Bool]) -> Bool? { nil }

    func kernel(_ plan: ReductionPlan) -> any Kernel {
        plan.scaledSumKernel(scale: 1)
    }

    func backwardKernel(_ plan: ReductionPlan, _ context: BackwardContext) -> any Kernel {
        plan.scaledSumGradient(scale: 1, context)
    }
}

extension ReductionPlan {
    /// `scale` times the sum.
    func scaledSumKernel(scale: Float) -> any Kernel {
        kernel { memory in
            guard let input = memory.floats(0), let output = memory.outputFloats(0) else { return }
            output.update(repeating: 0, count: outputCount)
            move.accumulate(from: input, to: output)
            if scale != 1 { for index in 0..<outputCount { output[index] *= scale } }
        }
    }

    /// Every element's gradient is `scale` times that of what it was added to.
    func scaledSumGradient(scale: Float, _ context: BackwardContext) -> any Kernel {
        let back = move.reversed
        let port = context.gradientPort()
        return backwardKernel(context, readsValues: false) { memory in
            guard let gradient = memory.floats(port), let result = memory.outputFloats(0) else { return }
            back.copy(from: gradient, to: result, width: 4)
            if scale != 1 { for index in 0..<inputCount { result[index] *= scale } }
        }
    }
}

extension ReduceSum: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard port == 0, scale == nil else { throw .unsupported("a scale of reduced channels") }
        let width = reductionWidth(signature)
        return .matrix(MatrixMap(rows: 1, columns: width, elements: [Double](repeating: 1, count: width)))
    }
}

extension ReduceSum: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation { try sumPropagation(varying: varying, signature) }
}
