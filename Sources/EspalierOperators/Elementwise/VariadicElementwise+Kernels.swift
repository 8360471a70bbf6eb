import EspalierTensors

extension VariadicElementwise {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        try signature.requireSinglePrecision()
        let count = signature.inputs.count
        let output = signature.outputShape()
        let scale = Float(finalScale(inputCount: count))
        if signature.haveOneShape {
            let layout = joinedLayout(context.inputLayouts, shape: output)
            // With more inputs, one that is read late could be the same memory as the first.
            return ElementwiseKernel(
                inputs: [Layout](repeating: layout, count: count), outputs: [layout], shape: output,
                inPlaceInput: count <= 2 ? 0 : nil
            ) { memory, range in
                guard let first = memory.input(0)?.assumingMemoryBound(to: Float.self),
                    let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
                else { return }
                var joined = first
                for port in 1..<max(1, count) {
                    guard let next = memory.input(port)?.assumingMemoryBound(to: Float.self) else { return }
                    for index in range { output[index] = combine(joined[index], next[index]) }
                    joined = output
                }
                if scale != 1 || count == 1 { for index in range { output[index] = scale * joined[index] } }
            }
        }
        let plans = signature.inputs.map { BroadcastPlan([$0?.shape ?? []], output: output) }
        return PlainKernel(inputCount: count, outputCount: 1) { memory in
            guard let output = memory.output(0)?.assumingMemoryBound(to: Float.self) else { return }
            for (port, plan) in plans.enumerated() {
                guard let input = memory.input(port)?.assumingMemoryBound(to: Float.self) else { return }
                let step = plan.rowStrides[0]
                plan.forEachRow { start, operands in
                    let (input, output) = (input + operands[0], output + start)
                    if port == 0 {
                        for index in 0..<plan.rowLength { output[index] = input[index * step] }
                    } else {
                        for index in 0..<plan.rowLength {
                            output[index] = combine(output[index], input[index * step])
                        }
                    }
                }
            }
            if scale != 1 { for index in 0..<signature.outputShape().count { output[index] *= scale } }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        try context.signature.requireSinglePrecision()
        return picksOne ? lowerBackwardOfChoice(context) : lowerBackwardOfSum(context)
    }

    /// Every input gets the output's gradient, scaled and summed over the axes it was broadcast along.
    private func lowerBackwardOfSum(_ context: BackwardContext) -> any Kernel {
        let signature = context.signature
        let output = signature.outputShape()
        let gradientPort = context.gradientPort()
        let scale = Float(finalScale(inputCount: context.inputCount))
        let unread = Set(0..<gradientPort)
        if signature.haveOneShape {
            let layout = context.outputGradientLayouts.first ?? .plain
            return ElementwiseKernel(
                inputs: [Layout](repeating: layout, count: context.backwardInputCount),
                outputs: [Layout](repeating: layout, count: context.inputCount), shape: output,
                unreadInputs: unread
            ) { memory, range in
                guard let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self) else {
                    return
                }
                for port in 0..<gradientPort {
                    guard let result = memory.output(port)?.assumingMemoryBound(to: Float.self) else {
                        continue
                    }
                    for index in range { result[index] = scale * gradient[index] }
                }
            }
        }
        let shapes = signature.inputs.map { $0?.shape ?? [] }
        let plans = shapes.map { BroadcastPlan([$0], output: output) }
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: context.inputCount, unreadInputs: unread
        ) { memory in
            guard let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self) else {
                return
            }
            for (port, plan) in plans.enumerated() {
                guard let result = memory.output(port)?.assumingMemoryBound(to: Float.self) else { continue }
                result.update(repeating: 0, count: shapes[port].count)
                let step = plan.rowStrides[0]
                plan.forEachRow { start, operands in
                    let (gradient, result) = (gradient + start, result + operands[0])
                    for index in 0..<plan.rowLength { result[index * step] += scale * gradient[index] }
                }
            }
        }
    }

    /// Each element of the gradient goes to the first input whose element the output is.
    private func lowerBackwardOfChoice(_ context: BackwardContext) -> any Kernel {
        let output = context.signature.outputShape()
        let (outputPort, gradientPort) = (context.outputPort(0), context.gradientPort())
        let shapes = context.signature.inputs.map { $0?.shape ?? [] }
        let plans = shapes.map { BroadcastPlan([$0], output: output) }
        // Those behind the last one wanted cannot take anything away from it.
        let readCount = (context.wanted.lastIndex(of: true) ?? -1) + 1
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: context.inputCount,
            scratchByteCount: output.count, unreadInputs: Set(readCount..<outputPort)
        ) { memory in
            guard let chosen = memory.input(outputPort)?.assumingMemoryBound(to: Float.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self),
                let given = memory.scratch?.assumingMemoryBound(to: UInt8.self)
            else { return }
            given.update(repeating: 0, count: output.count)
            for (port, plan) in plans.enumerated().prefix(readCount) {
                guard let input = memory.input(port)?.assumingMemoryBound(to: Float.self) else { continue }
                let result = memory.output(port)?.assumingMemoryBound(to: Float.self)
                result?.update(repeating: 0, count: shapes[port].count)
                let step = plan.rowStrides[0]
                plan.forEachRow { start, operands in
                    for index in 0..<plan.rowLength {
                        let (place, position) = (start + index, operands[0] + index * step)
                        guard given[place] == 0, input[position] == chosen[place] else { continue }
                        given[place] = 1
                        result?[position] += gradient[place]
                    }
                }
            }
        }
    }

    private func joinedLayout(_ offered: [Layout], shape: Shape) -> Layout {
        // Combining zeros gives zero in every such operator.
        (offered.first { $0 != .plain } ?? .plain).forElements(of: shape, paddingStaysZero: true)
    }
}

extension Signature {
    /// Whether all inputs have the output's shape.
    var haveOneShape: Bool { inputs.allSatisfy { $0?.shape == outputShape() } }
}
