/// The sum of several values, broadcast to each other: residual connections of older exporters.
package struct Sum: VariadicElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Sum")]

    package init(_ attributes: AttributeReader) {}

    package func combine<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left + right }
    package func combine<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole { left &+ right }
    package var picksOne: Bool { false }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        signature.inputs.count == 2 && signature.haveOneShape ? .add : nil
    }
}

extension Sum: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        .broadcast(.sum, varying: varying, in: norm, signature)
    }
}

extension Sum: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try signature.signedSum(
            of: varying, signs: Dictionary(uniqueKeysWithValues: signature.inputs.indices.map { ($0, 1) }))
    }
}
