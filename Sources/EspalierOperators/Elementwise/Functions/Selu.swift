/// Scaled exponential linear unit: gamma x, or gamma alpha (exp x - 1) where x <= 0 (Klambauer et al. 2017).
package struct Selu: UnaryElementwise {
    package static let schemas = [OperatorSchema("Selu", since: 6)]

    let alpha: Float
    let gamma: Float

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        alpha = try attributes.float("alpha", default: 1.673_263_2)
        gamma = try attributes.float("gamma", default: 1.050_701)
    }

    package func value<Real: ReferenceReal>(_ x: Real) -> Real {
        Real(gamma) * (x > 0 ? x : Real(alpha) * .expMinusOne(x))
    }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real {
        Real(gamma) * (x > 0 ? 1 : Real(alpha) * .exp(x))
    }
}

extension Selu: BoundedSlope {
    package var largestSlope: Double { Double(gamma.magnitude) * max(1, Double(alpha.magnitude)) }
}
