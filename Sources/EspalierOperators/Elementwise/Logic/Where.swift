import EspalierTensors

/// Elements of the second input where the first, of truth values, is true, and of the third where it is false; all three
/// broadcast to each other.
package struct Where: AxisLinking, Differentiable, Lowering {
    package static let schemas = [OperatorSchema("Where", since: 9)]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let condition = try inputs.required(0)
        let (first, second) = (try inputs.required(1), try inputs.required(2))
        guard condition.dtype == .bool else {
            throw .input(0, problem: "is \(condition.dtype.rawValue), not bool")
        }
        guard first.dtype == second.dtype else {
            throw .input(2, problem: "is \(second.dtype.rawValue) where input 1 is \(first.dtype.rawValue)")
        }
        guard let shape = first.shape.broadcast(with: second.shape)?.broadcast(with: condition.shape) else {
            throw .shapes(
                "\(condition.shape), \(first.shape) and \(second.shape) do not broadcast to each other")
        }
        return [ValueFacts(dtype: first.dtype, shape: shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let condition = try call.boolean(0)
        func select<Element>(
            _ first: NDArray<Element>, _ second: NDArray<Element>
        ) throws(OperatorError) -> NDArray<Element> {
            let pairs = try first.broadcasting(second) { ($0, $1) }
            return try condition.broadcasting(pairs) { $0 ? $1.0 : $1.1 }
        }
        switch (try call.value(1), try call.value(2)) {
        case (.real(let first), .real(let second)): return [.real(try select(first, second))]
        case (.integer(let first), .integer(let second)): return [.integer(try select(first, second))]
        case (.unsigned(let first), .unsigned(let second)): return [.unsigned(try select(first, second))]
        case (.boolean(let first), .boolean(let second)): return [.boolean(try select(first, second))]
        default: throw .unsupported("operands of different types")
        }
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkBroadcast(inputs: 3, signature)
        return links
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard signature.outputs[0].dtype == .float32 else {
            throw .unsupported("a kernel for \(signature.outputs[0].dtype.rawValue)")
        }
        let plan = plan(signature)
        return PlainKernel(inputCount: 3, outputCount: 1) { memory in
            guard let condition = memory.input(0)?.assumingMemoryBound(to: UInt8.self),
                let first = memory.input(1)?.assumingMemoryBound(to: Float.self),
                let second = memory.input(2)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            let steps = plan.rowStrides
            plan.forEachRow { start, operands in
                for index in 0..<plan.rowLength {
                    let position = operands &+ steps &* index
                    output[start + index] =
                        condition[position[0]] != 0 ? first[position[1]] : second[position[2]]
                }
            }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let plan = plan(signature)
        let gradientPort = context.gradientPort()
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: 3,
            unreadInputs: [1, 2, context.outputPort(0)]
        ) { memory in
            guard let condition = memory.input(0)?.assumingMemoryBound(to: UInt8.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self)
            else { return }
            let steps = plan.rowStrides
            for (port, taken) in [(1, true), (2, false)] {
                guard let result = memory.output(port)?.assumingMemoryBound(to: Float.self) else { continue }
                result.update(repeating: 0, count: signature.inputShape(port).count)
                plan.forEachRow { start, operands in
                    for index in 0..<plan.rowLength {
                        let position = operands &+ steps &* index
                        if (condition[position[0]] != 0) == taken {
                            result[position[port]] += gradient[start + index]
                        }
                    }
                }
            }
        }
    }

    private func plan(_ signature: Signature) -> BroadcastPlan {
        BroadcastPlan((0..<3).map { signature.inputShape($0) }, output: signature.outputShape())
    }
}
