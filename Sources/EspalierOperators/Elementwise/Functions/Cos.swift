/// The cosine of an angle in radians.
package struct Cos: UnaryElementwise {
    package static let schemas = [OperatorSchema("Cos", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .cos(x) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 0 - .sin(x) }
}

extension Cos: BoundedSlope {
    package var largestSlope: Double { 1 }
}
