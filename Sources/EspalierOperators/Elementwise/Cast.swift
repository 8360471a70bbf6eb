import EspalierTensors

/// The elements converted to another type.
package struct Cast: AxisLinking, Differentiable, Lowering {
    package static let schemas = [OperatorSchema("Cast", since: 6)]

    let target: DType

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        guard let code = try attributes.int("to") else { throw .missingAttribute("to") }
        guard let target = Self.types[code] else {
            throw .attribute("to", problem: "type number \(code) is not supported")
        }
        self.target = target
    }

    /// By their numbers in ONNX's `TensorProto.DataType`.
    private static let types: [Int: DType] = [
        1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float16,
        11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
    ]

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        return [ValueFacts(dtype: target, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.value(0)
        // The precision that the reference runs in stands for both of these.
        if case .real = input, target == .float32 || target == .float64 { return [input] }
        // Through a tensor, which knows the rules of conversion.
        return [ReferenceValue(input.tensor(as: target))]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkElementwise(signature.inputShape(0).rank)
        return links
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        signature.inputs[port]?.dtype.isFloatingPoint == true && target.isFloatingPoint
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try requireCopy(context.signature)
        return CopyKernel(
            layout: context.inputLayout(0), facts: context.signature.outputs[0], inputCount: 1, from: 0)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        try requireCopy(context.signature)
        return CopyKernel(
            layout: context.outputGradientLayouts.first ?? .plain, facts: context.signature.outputs[0],
            inputCount: context.backwardInputCount, from: context.gradientPort())
    }

    private func requireCopy(_ signature: Signature) throws(OperatorError) {
        guard let input = signature.inputs[0], input.dtype == target else {
            throw .unsupported("a kernel for a conversion to \(target.rawValue)")
        }
    }
}

// MARK: - Bounds

extension Cast: LipschitzBounding {
    /// Rounding to a narrower type counts as an error of calculation, as all of its kind.
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        guard target.isFloatingPoint, signature.inputs.first??.dtype.isFloatingPoint == true else {
            throw .unsupported("a conversion that rounds to whole numbers")
        }
        return LipschitzRule(.sum, [0: 1])
    }
}
