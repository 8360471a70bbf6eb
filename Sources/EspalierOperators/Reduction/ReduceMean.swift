import EspalierTensors

/// The mean of the elements along some axes; not a number of none.
package struct ReduceMean: AxisReduction {
    package static let schemas = [OperatorSchema("ReduceMean")]

    let attributes: ReductionAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try ReductionAttributes(attributes)
    }

    func reduced<Real: ReferenceReal>(_ elements: [Real]) -> Real {
        elements.reduce(0, +) / Real(elements.count)
    }

    /// Rounded towards zero.
    func reduced<Whole: FixedWidthInteger>(_ elements: [Whole]) -> Whole? {
        guard !elements.isEmpty else { return nil }
        return elements.reduce(0, &+) / Whole(elements.count)
    }

    func reduced(_ elements: [Bool]) -> Bool? { nil }

    func kernel(_ plan: ReductionPlan) -> any Kernel {
        plan.scaledSumKernel(scale: plan.width == 0 ? .nan : 1 / Float(plan.width))
    }

    func backwardKernel(_ plan: ReductionPlan, _ context: BackwardContext) -> any Kernel {
        plan.scaledSumGradient(scale: 1 / Float(max(plan.width, 1)), context)
    }
}

extension ReduceMean: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard port == 0, scale == nil else { throw .unsupported("a scale of reduced channels") }
        return .matrix(.mean(of: reductionWidth(signature)))
    }
}

extension ReduceMean: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation { try sumPropagation(varying: varying, signature) }
}
