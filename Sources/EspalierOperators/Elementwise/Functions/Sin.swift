/// The sine of an angle in radians.
package struct Sin: UnaryElementwise {
    package static let schemas = [OperatorSchema("Sin", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .sin(x) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { .cos(x) }
}

extension Sin: BoundedSlope {
    package var largestSlope: Double { 1 }
}
