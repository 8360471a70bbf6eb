package import EspalierTensors

/// The first input to the power of the second, broadcast to each other; the result has the first one's type.
package struct Pow: BinaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Pow", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ base: Real, _ exponent: Real) -> Real {
        exponent == 2 ? base * base : exponent == 1 ? base : .pow(base, exponent)
    }

    package func value<Whole: FixedWidthInteger>(
        _ base: Whole, _ exponent: Whole
    ) throws(OperatorError) -> Whole {
        if exponent < 0 {
            guard base != 0 else { throw .input(0, problem: "has a zero, of which there is no inverse") }
            // What is left of an inverse without its fraction.
            guard base.magnitude == 1 else { return 0 }
            return exponent & 1 == 0 ? 1 : base
        }
        var (result, square, rest) = (Whole(1), base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result = result &* square }
            square = square &* square
            rest >>= 1
        }
        return result
    }

    package func leftDerivative<Real: ReferenceReal>(_ base: Real, _ exponent: Real) -> Real {
        exponent == 0 ? 0 : exponent * value(base, exponent - 1)
    }

    package func rightDerivative<Real: ReferenceReal>(_ base: Real, _ exponent: Real) -> Real {
        // x^y approaches 0 as x does, faster than the logarithm grows.
        base == 0 && exponent > 0 ? 0 : .pow(base, exponent) * .log(base)
    }

    package func outputType(_ left: DType, _ right: DType) throws(OperatorError) -> DType {
        guard left != .bool, right != .bool else {
            throw .input(left == .bool ? 0 : 1, problem: "is bool, with which one cannot calculate")
        }
        return left
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        switch (try call.value(0), try call.value(1)) {
        case (.integer(let base), .integer(let exponent)):
            return [
                .integer(
                    try base.broadcasting(exponent) { base, exponent throws(OperatorError) in
                        try value(base, exponent)
                    })
            ]
        case (.unsigned(let base), .unsigned(let exponent)):
            return [
                .unsigned(
                    try base.broadcasting(exponent) { base, exponent throws(OperatorError) in
                        try value(base, exponent)
                    })
            ]
        case (.integer(let base), .unsigned(let exponent)):
            // Modulo 2^64, as products of both types are the same bits.
            return [
                .integer(
                    try base.broadcasting(exponent) { base, exponent throws(OperatorError) in
                        Int64(bitPattern: try value(UInt64(bitPattern: base), exponent))
                    })
            ]
        case (.unsigned(let base), .integer(let exponent)):
            return [
                .unsigned(
                    try base.broadcasting(exponent) { base, exponent throws(OperatorError) in
                        // With a sign, the largest base would be -1, which has an inverse.
                        try exponent < 0 && base > 1
                            ? 0 : UInt64(bitPattern: value(Int64(bitPattern: base), exponent))
                    })
            ]
        case (.real(let base), .real(let exponent)):
            return [.real(try base.broadcasting(exponent) { base, exponent in value(base, exponent) })]
        case (.real(let base), .integer(let exponent)):
            return [.real(try base.broadcasting(exponent) { value($0, Real($1)) })]
        case (.real(let base), .unsigned(let exponent)):
            return [.real(try base.broadcasting(exponent) { value($0, Real($1)) })]
        case (.unsigned(let base), .real(let exponent)):
            let powers = try base.broadcasting(exponent) { Double.pow(Double($0), Double($1)) }
            return [
                ReferenceValue(Tensor(shape: powers.shape, scalars: powers.elements).converted(to: .uint64))
            ]
        case (.integer(let base), .real(let exponent)):
            let powers = try base.broadcasting(exponent) { Double.pow(Double($0), Double($1)) }
            return [
                ReferenceValue(Tensor(shape: powers.shape, scalars: powers.elements).converted(to: .int64))
            ]
        default: throw .unsupported("operands of these types")
        }
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        // A known exponent is part of the function, not a weight.
        signature.inputs[port]?.dtype.isFloatingPoint == true && (port == 0 || signature.constant(1) == nil)
    }

    package func reasonToFreeze(_ signature: Signature) -> String? {
        let exponents = signature.constant(1)?.scalars(as: Double.self)
        let isFiniteAtZero = exponents?.allSatisfy { $0 >= 0 } ?? false
        return isFiniteAtZero ? nil : "it would be infinite where a mask makes its input zero"
    }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        switch knownExponent(signature) {
        case 2: .function(.square, alpha: 0, beta: 0)
        case 0.5: .function(.squareRoot, alpha: 0, beta: 0)
        default: nil
        }
    }
}

// MARK: - Kernels for one known exponent

extension Pow {
    /// The exponent, of any type, where it is one number known in advance and the base one of `float32`.
    private func knownExponent(_ signature: Signature) -> Float? {
        guard let constant = signature.constant(1), constant.count == 1,
            signature.inputs[0]?.dtype == .float32, signature.inputShape(0) == signature.outputShape()
        else { return nil }
        return constant.scalars(as: Float.self).first
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        guard let exponent = knownExponent(context.signature) else { return try lowerBroadcast(context) }
        let shape = context.signature.outputShape()
        let layout = context.inputLayout(0).forElements(of: shape, paddingStaysZero: exponent > 0)
        return ElementwiseKernel(
            inputs: [layout, .plain], outputs: [layout], shape: shape, unreadInputs: [1], inPlaceInput: 0
        ) { memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in range { output[index] = value(input[index], exponent) }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        guard let exponent = knownExponent(context.signature) else {
            return try lowerBroadcastBackward(context)
        }
        let shape = context.signature.outputShape()
        let layout = context.forward.outputLayouts[0].forElements(of: shape, paddingStaysZero: exponent >= 1)
        let gradientPort = context.gradientPort()
        var layouts = [Layout](repeating: .plain, count: context.backwardInputCount)
        layouts[0] = layout
        layouts[gradientPort] = layout
        return ElementwiseKernel(
            inputs: layouts, outputs: [layout, .plain], shape: shape,
            unreadInputs: [1, context.outputPort(0)], inPlaceInput: gradientPort
        ) { memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self),
                let result = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in range { result[index] = gradient[index] * leftDerivative(input[index], exponent) }
        }
    }
}
