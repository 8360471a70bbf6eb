import EspalierTensors

/// An operator each of whose output elements is an element of input 0, or a constant where ``fill(_:)`` says so.
///
/// Conforming types give one nest of loops from the input to output 0; forward, backward (the same loops the other
/// way round) and the kernels for every element type follow.
protocol MovementOperator: AxisLinking, Differentiable, Lowering {
    /// The pairs of elements of input 0 and output 0 that are the same.
    func move(_ signature: Signature) throws(OperatorError) -> StridedMove
    /// Whether every element of the output is moved to; otherwise the rest is zero.
    func coversOutput(_ signature: Signature) -> Bool
    /// Whether every element of the input is moved from exactly once.
    func coversInput(_ signature: Signature) -> Bool
}

extension MovementOperator {
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard let input = signature.inputs.first ?? nil, let output = signature.outputs.first else {
            throw .missingInput(0)
        }
        let move = try move(signature)
        let width = input.dtype.byteCount
        let clearedBytes = coversOutput(signature) ? 0 : output.shape.count * width
        return PlainKernel(
            inputCount: signature.inputs.count, outputCount: signature.outputs.count,
            unreadInputs: Set(1..<max(1, signature.inputs.count))
        ) { memory in
            guard let source = memory.input(0), let target = memory.output(0) else { return }
            if clearedBytes > 0 {
                target.initializeMemory(as: UInt8.self, repeating: 0, count: clearedBytes)
            }
            move.copy(from: source, to: target, width: width)
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let back = try move(signature).reversed
        let isCopy = coversInput(signature)
        let count = signature.inputShape(0).count
        let port = context.gradientPort()
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: context.inputCount,
            unreadInputs: Set(0..<port)
        ) { memory in
            guard let gradient = memory.floats(port), let result = memory.outputFloats(0) else { return }
            if isCopy {
                back.copy(from: gradient, to: result, width: 4)
            } else {
                result.update(repeating: 0, count: count)
                back.accumulate(from: gradient, to: result)
            }
        }
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs.first??.dtype.isFloatingPoint == true
    }
}

/// An operator that only gives input 0 another shape: its memory stays as it is.
protocol ReshapingOperator: AxisLinking, Differentiable, Lowering {}

extension ReshapingOperator {
    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        guard let output = call.outputs.first, output.shape.count == value.shape.count else {
            throw .shapes("\(value.shape) can't be read as \(call.outputs.first?.shape ?? [])")
        }
        return [value.reshaped(to: output.shape)]
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard let input = signature.inputs.first ?? nil else { throw .missingInput(0) }
        return Self.copyKernel(
            from: 0, inputs: signature.inputs.count, outputs: signature.outputs.count,
            byteCount: input.shape.count * input.dtype.byteCount)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        Self.copyKernel(
            from: context.gradientPort(), inputs: context.backwardInputCount, outputs: context.inputCount,
            byteCount: context.signature.inputShape(0).count * 4)
    }

    private static func copyKernel(from port: Int, inputs: Int, outputs: Int, byteCount: Int) -> any Kernel {
        PlainKernel(
            inputCount: inputs, outputCount: outputs,
            unreadInputs: Set(0..<inputs).subtracting([port]), inPlaceInput: port
        ) { memory in
            guard let source = memory.input(port), let target = memory.output(0), source != target else {
                return
            }
            target.copyMemory(from: source, byteCount: byteCount)
        }
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs.first??.dtype.isFloatingPoint == true
    }
}
