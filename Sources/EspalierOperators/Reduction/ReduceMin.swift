import EspalierTensors

/// The smallest of the elements along some axes; infinity of none.
package struct ReduceMin: AxisReduction {
    package static let schemas = [OperatorSchema("ReduceMin")]

    let attributes: ReductionAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try ReductionAttributes(attributes)
    }

    func reduced<Real: ReferenceReal>(_ elements: [Real]) -> Real {
        elements.reduce(Real.infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }
    }

    func reduced<Whole: FixedWidthInteger>(_ elements: [Whole]) -> Whole? { elements.min() }
    func reduced(_ elements: [Bool]) -> Bool? { !elements.contains(false) }

    func kernel(_ plan: ReductionPlan) -> any Kernel {
        plan.extremeKernel(worst: .infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }
    }

    func backwardKernel(_ plan: ReductionPlan, _ context: BackwardContext) -> any Kernel {
        plan.extremeGradient(context)
    }
}

extension ReduceMin: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        return LipschitzRule(.sum, [0: 1])
    }
}
