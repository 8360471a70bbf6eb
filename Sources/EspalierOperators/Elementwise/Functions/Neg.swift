/// The negative.
package struct Neg: IntegerElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Neg")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { -x }
    package func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { 0 &- x }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { -1 }

    package var function: EpilogueStep? { .function(.linear, alpha: -1, beta: 0) }
}

extension Neg: BoundedSlope {
    package var largestSlope: Double { 1 }
}

extension Neg: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .sum([0: -1])
    }
}
