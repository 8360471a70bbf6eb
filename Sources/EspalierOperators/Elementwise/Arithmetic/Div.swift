import EspalierTensors

/// The quotient of two values element by element, broadcast to each other. Integers are rounded towards zero.
package struct Div: BinaryElementwise, Epilogue, ChannelAffine {
    package static let schemas = [OperatorSchema("Div", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left / right }

    package func value<Whole: FixedWidthInteger>(
        _ left: Whole, _ right: Whole
    ) throws(OperatorError) -> Whole {
        guard right != 0 else { throw .input(1, problem: "has a zero, by which integers cannot be divided") }
        // The one quotient that does not fit wraps, as the other operations do.
        return left.dividedReportingOverflow(by: right).partialValue
    }

    package func leftDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { 1 / right }
    package func rightDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real {
        -left / (right * right)
    }
    package var leftDerivativeReads: BinaryOperands { .right }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkBroadcast(inputs: 2, signature)
        for axis in 0..<signature.inputShape(1).rank {
            links.frozen.append((.input(1, axis: axis), "a mask would make the divisor zero"))
        }
        return links
    }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        guard let divisor = signature.scalarOperand else { return nil }
        // Of a divisor beyond 2^126 the reciprocal is denormal, and flushed to zero.
        let factor = 1 / divisor
        return factor.isNormal ? .function(.linear, alpha: factor, beta: 0) : nil
    }

    package func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])? {
        guard let divisors = signature.channelOperand else { return nil }
        let factors = divisors.map { 1 / $0 }
        guard factors.allSatisfy({ Float($0).isNormal }) else { return nil }
        return (factors, divisors.map { _ in 0 })
    }
}

extension Div: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard port == 0 else { throw .unsupported("a divisor that depends on the network's input") }
        return try signature.scaling(of: port, by: 1, scalingChannels: scale) { 1 / $0 }
    }
}

extension Div: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying == [0] else { throw .unsupported("a divisor that depends on the network's input") }
        return try signature.scaled(0, by: 1)
    }
}
