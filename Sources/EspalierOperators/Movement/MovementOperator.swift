import EspalierKernels
import EspalierTensors

/// An operator each of whose output elements is an element of input 0, or a constant where ``fill(_:)`` says so.
///
/// Conforming types give one nest of loops from the input to output 0; forward, backward (the same loops the other
/// way round) and the kernels for every element type follow. Loops go by strides, so any layout that has some will do.
protocol MovementOperator: AxisLinking, Differentiable, Lowering, LipschitzBounding, BoundPropagating {
    /// The pairs of elements of input 0 and output 0 that are the same, where the memories have the given strides.
    func move(
        _ signature: Signature, source: [Int], target: [Int]
    ) throws(OperatorError) -> StridedMove
    /// Whether axis k of the output is axis k of the input, so that channels may stay last.
    static var keepsAxes: Bool { get }
    /// Whether every element of the output is moved to; otherwise the rest is zero.
    func coversOutput(_ signature: Signature) -> Bool
    /// Whether every element of the input is moved from exactly once.
    func coversInput(_ signature: Signature) -> Bool
}

extension MovementOperator {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try movementRule(varying: varying, in: norm, signature)
    }

    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try varying.requireOnly(0)
        return .affine(AffinePropagation(.sample, roundings: 0, gradientRoundings: repeatedCount(signature)))
    }

    /// The most elements of the output that are one of the input.
    private func repeatedCount(_ signature: Signature) -> Int {
        coversInput(signature) ? 0 : signature.outputShape().count
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice {
        Self.keepsAxes ? .follows : .fixed(input: nil, output: .plain)
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard let input = signature.inputs.first ?? nil, let output = signature.outputs.first else {
            throw .missingInput(0)
        }
        let memory = try layouts(context)
        let move = try move(signature, source: memory.source, target: memory.target)
        let width = input.dtype.byteCount
        let clearedBytes = coversOutput(signature) ? 0 : output.shape.count * width
        let ports = signature.inputs.count
        return PlainKernel(
            inputLayouts: [memory.input] + [Layout](repeating: .plain, count: ports - 1),
            outputLayouts: [memory.output], unreadInputs: Set(1..<max(1, ports))
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
        // The gradients lie as the values did.
        let (input, output) = (context.forward.inputLayouts[0], context.forward.outputLayouts[0])
        let source = try input.requireStrides(signature.inputShape(0))
        let target = try output.requireStrides(signature.outputShape())
        let back = try move(signature, source: source, target: target).reversed
        let isCopy = coversInput(signature)
        let count = signature.inputShape(0).count
        let port = context.gradientPort()
        return PlainKernel(
            inputLayouts: [Layout](repeating: .plain, count: port) + [output],
            outputLayouts: [input] + [Layout](repeating: .plain, count: context.inputCount - 1),
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

    /// The layouts that the kernel reads and writes, and their strides: as the input comes, if it has strides.
    func layouts(
        _ context: LoweringContext
    ) throws(OperatorError) -> (input: Layout, output: Layout, source: [Int], target: [Int]) {
        let (input, output) = (context.signature.inputShape(0), context.signature.outputShape())
        let offered = context.inputLayout(0)
        guard let source = offered.strides(input), offered != .plain else {
            return (.plain, .plain, input.strides, output.strides)
        }
        guard Self.keepsAxes, try offered == .channelsLast(input) else {
            return (offered, .plain, source, output.strides)
        }
        let result = try Layout.channelsLast(output)
        return (offered, result, source, try result.requireStrides(output))
    }
}

extension Layout {
    /// The strides in elements of a value of `shape`; nil if the layout has none, or has gaps.
    func strides(_ shape: Shape) -> [Int]? {
        switch self {
        case .plain: shape.strides
        case .dnn(let layout):
            layout.shape == shape && layout.byteCount == shape.count * 4 ? layout.strides : nil
        }
    }

    /// The strides of a layout that was chosen because it has some.
    func requireStrides(_ shape: Shape) throws(OperatorError) -> [Int] {
        guard let strides = strides(shape) else { throw .kernel("the layout of \(shape) has no strides") }
        return strides
    }
}

/// An operator that only gives input 0 another shape: its memory stays as it is.
protocol ReshapingOperator: AxisLinking, Differentiable, Lowering, LipschitzBounding, BoundPropagating {}

extension ReshapingOperator {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        return LipschitzRule(.sum, [0: 1])
    }

    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try varying.requireOnly(0)
        return .sum([0: 1])
    }

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
