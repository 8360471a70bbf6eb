/// The mean of several values, broadcast to each other.
package struct Mean: VariadicElementwise {
    package static let schemas = [OperatorSchema("Mean")]

    package init(_ attributes: AttributeReader) {}

    package func combine<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left + right }
    package func combine<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole { left &+ right }
    package var isDefinedOnIntegers: Bool { false }
    package func finalScale(inputCount: Int) -> Double { 1 / Double(inputCount) }
    package var picksOne: Bool { false }
}

extension Mean: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        .broadcast(
            .sum, varying: varying, in: norm, signature,
            scale: finalScale(inputCount: signature.inputs.count))
    }
}
