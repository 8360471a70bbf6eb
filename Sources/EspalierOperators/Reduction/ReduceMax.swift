import EspalierTensors

/// The largest of the elements along some axes; minus infinity of none.
package struct ReduceMax: AxisReduction {
    package static let schemas = [OperatorSchema("ReduceMax")]

    let attributes: ReductionAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try ReductionAttributes(attributes)
    }

    func reduced<Real: ReferenceReal>(_ elements: [Real]) -> Real {
        elements.reduce(-Real.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
    }

    func reduced<Whole: FixedWidthInteger>(_ elements: [Whole]) -> Whole? { elements.max() }
    func reduced(_ elements: [Bool]) -> Bool? { elements.contains(true) }

    func kernel(_ plan: ReductionPlan) -> any Kernel {
        plan.extremeKernel(worst: -.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
    }

    func backwardKernel(_ plan: ReductionPlan, _ context: BackwardContext) -> any Kernel {
        plan.extremeGradient(context)
    }
}

extension ReductionPlan {
    /// The best element, where `better` picks one of two.
    func extremeKernel(
        worst: Float, better: @escaping @Sendable (Float, Float) -> Float
    ) -> any Kernel {
        kernel { memory in
            guard let input = memory.floats(0), let output = memory.outputFloats(0) else { return }
            output.update(repeating: worst, count: outputCount)
            move.forEachRun { from, to, run in
                for index in 0..<run.count {
                    let target = to + index * run.targetStride
                    output[target] = better(output[target], input[from + index * run.sourceStride])
                }
            }
        }
    }

    /// The gradient goes to the element that was picked, in equal parts where several are equal.
    func extremeGradient(_ context: BackwardContext) -> any Kernel {
        let (output, gradient) = (context.outputPort(0), context.gradientPort())
        return backwardKernel(context, readsValues: true, scratchByteCount: outputCount * 4) { memory in
            guard let input = memory.floats(0), let best = memory.floats(output),
                let gradient = memory.floats(gradient), let result = memory.outputFloats(0),
                let counts = memory.scratch?.assumingMemoryBound(to: Float.self)
            else { return }
            counts.update(repeating: 0, count: outputCount)
            move.forEachRun { from, to, run in
                for index in 0..<run.count {
                    let target = to + index * run.targetStride
                    if input[from + index * run.sourceStride] == best[target] { counts[target] += 1 }
                }
            }
            move.forEachRun { from, to, run in
                for index in 0..<run.count {
                    let target = to + index * run.targetStride
                    let source = from + index * run.sourceStride
                    result[source] = input[source] == best[target] ? gradient[target] / counts[target] : 0
                }
            }
        }
    }
}

extension ReduceMax: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        return LipschitzRule(.sum, [0: 1])
    }
}
