import EspalierTensors

/// Rectified linear unit with a learnt slope below zero (He et al. 2015): x, or slope x where x < 0.
///
/// Inputs: x, and a slope which broadcasts to it (for one per channel of an image, of shape C x 1 x 1).
package struct PRelu: BinaryElementwise {
    package static let schemas = [OperatorSchema("PRelu", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let slope = try inputs.required(1)
        guard input.shape.broadcast(with: slope.shape) == input.shape else {
            throw .input(1, problem: "has shape \(slope.shape), which does not broadcast to \(input.shape)")
        }
        return [ValueFacts(dtype: try outputType(input.dtype, slope.dtype), shape: input.shape)]
    }

    package func value<Real: ReferenceReal>(_ x: Real, _ slope: Real) -> Real { x < 0 ? slope * x : x }
    package func value<Whole: FixedWidthInteger>(_ x: Whole, _ slope: Whole) -> Whole {
        x < 0 ? slope &* x : x
    }
    package func leftDerivative<Real: ReferenceReal>(_ x: Real, _ slope: Real) -> Real { x < 0 ? slope : 1 }
    package func rightDerivative<Real: ReferenceReal>(_ x: Real, _ slope: Real) -> Real { x < 0 ? x : 0 }
    package var rightDerivativeReads: BinaryOperands { .left }
}

extension PRelu: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        let slopes = try signature.requireConstant(1)
        return LipschitzRule(.sum, [0: slopes.reduce(1) { max($0, $1.magnitude) }])
    }
}
