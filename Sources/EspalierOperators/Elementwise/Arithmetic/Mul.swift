import EspalierTensors

/// The product of two values element by element, broadcast to each other: scales, and gates such as those of
/// squeeze-and-excite blocks.
package struct Mul: BinaryElementwise, Epilogue, ChannelAffine {
    package static let schemas = [OperatorSchema("Mul", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left * right }
    package func value<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole { left &* right }
    package func leftDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { right }
    package func rightDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left }
    package var leftDerivativeReads: BinaryOperands { .right }
    package var rightDerivativeReads: BinaryOperands { .left }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        signature.scalarOperand.map { .function(.linear, alpha: $0, beta: 0) }
    }

    package func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])? {
        signature.channelOperand.map { ($0, $0.map { _ in 0 }) }
    }
}

extension Mul: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        try signature.scaling(of: port, by: 1 - port, scalingChannels: scale)
    }
}

extension Mul: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying.count == 1, let port = varying.first else {
            throw .unsupported("a product of two values that depend on the network's input")
        }
        return try signature.scaled(port, by: 1 - port)
    }
}
