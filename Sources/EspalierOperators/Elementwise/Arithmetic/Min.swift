/// The smallest of several values, element by element, broadcast to each other. Not-a-number wins.
package struct Min: VariadicElementwise {
    package static let schemas = [OperatorSchema("Min")]

    package init(_ attributes: AttributeReader) {}

    package func combine<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real {
        right < left || right.isNaN ? right : left
    }
    package func combine<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole {
        right < left ? right : left
    }
    package var picksOne: Bool { true }
}

extension Min: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        .broadcast(.parts, varying: varying, in: norm, signature)
    }
}
