import EspalierTensors

extension BinaryElementwise {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try lowerBroadcast(context)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        try lowerBroadcastBackward(context)
    }

    /// What ``lower(_:)`` does for operators that know nothing better.
    func lowerBroadcast(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try context.signature.requireSinglePrecision()
        let left = context.signature.inputShape(0)
        let right = context.signature.inputShape(1)
        let output = context.signature.outputShape()
        if left == right {
            let layout = elementLayout(context.inputLayouts, shape: output)
            return ElementwiseKernel(
                inputs: [layout, layout], outputs: [layout], shape: output, inPlaceInput: 0
            ) { memory, range in
                guard let left = memory.input(0)?.assumingMemoryBound(to: Float.self),
                    let right = memory.input(1)?.assumingMemoryBound(to: Float.self),
                    let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
                else { return }
                for index in range { output[index] = value(left[index], right[index]) }
            }
        }
        let placement = BroadcastPlacement([left, right], offered: context.inputLayouts, output: output)
        let plan = placement.plan
        let inPlaceInput = left == output ? 0 : right == output ? 1 : nil
        return BroadcastKernel(placement, inPlaceInput: inPlaceInput) { memory in
            guard let left = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let right = memory.input(1)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            let (leftStep, rightStep) = (plan.rowStrides[0], plan.rowStrides[1])
            plan.forEachRowInParallel { start, operands in
                let (left, right, output) = (left + operands[0], right + operands[1], output + start)
                // Loops of their own, as the compiler vectorises only what has no variable strides.
                switch (leftStep, rightStep) {
                case (1, 1):
                    for index in 0..<plan.rowLength { output[index] = value(left[index], right[index]) }
                case (1, 0):
                    let fixed = right[0]
                    for index in 0..<plan.rowLength { output[index] = value(left[index], fixed) }
                case (0, 1):
                    let fixed = left[0]
                    for index in 0..<plan.rowLength { output[index] = value(fixed, right[index]) }
                default:
                    for index in 0..<plan.rowLength {
                        output[index] = value(left[index * leftStep], right[index * rightStep])
                    }
                }
            }
        }
    }

    /// What ``lowerBackward(_:)`` does for operators that know nothing better.
    func lowerBroadcastBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        try signature.requireSinglePrecision()
        let shapes = [signature.inputShape(0), signature.inputShape(1)]
        let output = signature.outputShape()
        var reads: BinaryOperands = []
        if context.isWanted(0) { reads.formUnion(leftDerivativeReads) }
        if context.isWanted(1) { reads.formUnion(rightDerivativeReads) }
        var unread: Set<Int> = [context.outputPort(0)]
        if !reads.contains(.left) { unread.insert(0) }
        if !reads.contains(.right) { unread.insert(1) }
        let gradientPort = context.gradientPort()
        if shapes[0] == shapes[1] {
            let layout = elementLayout(context.forward.inputLayouts, shape: output)
            // The gradient of a sum's first operand is the sum's own.
            let passesOn = leftDerivativeReads.isEmpty && leftDerivative(0 as Float, 0) == 1
            return ElementwiseKernel(
                inputs: [Layout](repeating: layout, count: context.backwardInputCount),
                outputs: [layout, layout], shape: output, unreadInputs: unread,
                inPlaceInput: passesOn ? gradientPort : nil
            ) { memory, range in
                guard let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self) else {
                    return
                }
                // What is not read stands for any number: the derivatives ignore it.
                let left = memory.input(0)?.assumingMemoryBound(to: Float.self) ?? gradient
                let right = memory.input(1)?.assumingMemoryBound(to: Float.self) ?? gradient
                if let result = memory.output(0)?.assumingMemoryBound(to: Float.self), result != gradient {
                    for index in range {
                        result[index] = gradient[index] * leftDerivative(left[index], right[index])
                    }
                }
                if let result = memory.output(1)?.assumingMemoryBound(to: Float.self) {
                    for index in range {
                        result[index] = gradient[index] * rightDerivative(left[index], right[index])
                    }
                }
            }
        }
        let placement = BroadcastPlacement(shapes, as: context.forward, output: output)
        let plan = placement.plan
        return BroadcastKernel(
            inputs: placement.inputs + [placement.output, placement.output], outputs: placement.inputs,
            unreadInputs: unread
        ) { memory in
            guard let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self) else {
                return
            }
            let left = memory.input(0)?.assumingMemoryBound(to: Float.self) ?? gradient
            let right = memory.input(1)?.assumingMemoryBound(to: Float.self) ?? gradient
            if let result = memory.output(0)?.assumingMemoryBound(to: Float.self) {
                plan.reduce(
                    gradient, left, right, into: result, operand: 0, count: shapes[0].count,
                    LeftDerivative(operation: self))
            }
            if let result = memory.output(1)?.assumingMemoryBound(to: Float.self) {
                plan.reduce(
                    gradient, left, right, into: result, operand: 1, count: shapes[1].count,
                    RightDerivative(operation: self))
            }
        }
    }

    /// The layout in which two values of one shape meet: one that either has already, blocked rather than plain, if
    /// zeros in its padding give zeros.
    private func elementLayout(_ offered: [Layout], shape: Shape) -> Layout {
        let zero = Float(0)
        let staysZero =
            value(zero, zero) == 0 && leftDerivative(zero, zero).isFinite
            && rightDerivative(zero, zero).isFinite
        let layout = offered.first { $0 != .plain } ?? .plain
        return layout.forElements(of: shape, paddingStaysZero: staysZero)
    }
}

/// One of the two derivatives of a function of two numbers, as a type: loops are specialised for it, which they
/// are not for a closure (ten times slower, measured).
private protocol PartialDerivative {
    func callAsFunction(_ left: Float, _ right: Float) -> Float
}

private struct LeftDerivative<Operation: BinaryElementwise>: PartialDerivative {
    let operation: Operation
    func callAsFunction(_ left: Float, _ right: Float) -> Float { operation.leftDerivative(left, right) }
}

private struct RightDerivative<Operation: BinaryElementwise>: PartialDerivative {
    let operation: Operation
    func callAsFunction(_ left: Float, _ right: Float) -> Float { operation.rightDerivative(left, right) }
}

extension BroadcastPlan {
    /// The gradient of one operand: over all places to which broadcasting puts one of its elements, the sum of
    /// the output's gradient times `derivative` of the two operands.
    fileprivate func reduce<Derivative: PartialDerivative>(
        _ gradient: UnsafePointer<Float>, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>, operand: Int, count: Int,
        _ derivative: Derivative
    ) {
        result.update(repeating: 0, count: count)
        let (leftStep, rightStep) = (rowStrides[0], rowStrides[1])
        let moves = rowStrides[operand]
        forEachRow { start, operands in
            let (gradient, result) = (gradient + start, result + operands[operand])
            let (left, right) = (left + operands[0], right + operands[1])
            if moves == 1, leftStep == 1, rightStep == 1 {
                for index in 0..<rowLength {
                    result[index] += gradient[index] * derivative(left[index], right[index])
                }
            } else if moves != 0 {
                for index in 0..<rowLength {
                    result[index * moves] +=
                        gradient[index] * derivative(left[index * leftStep], right[index * rightStep])
                }
            } else {
                result[0] += Self.sum(rowLength) { index in
                    gradient[index] * derivative(left[index * leftStep], right[index * rightStep])
                }
            }
        }
    }

    /// The sum of `term` over `0..<count`, in eight partial sums: exacter than one, and vectorised.
    @inline(__always)
    private static func sum(_ count: Int, _ term: (Int) -> Float) -> Float {
        var lanes = SIMD8<Float>()
        var index = 0
        while index + 8 <= count {
            var terms = SIMD8<Float>()
            for lane in 0..<8 { terms[lane] = term(index + lane) }
            lanes += terms
            index += 8
        }
        var rest = Float(0)
        while index < count {
            rest += term(index)
            index += 1
        }
        return lanes.sum() + rest
    }
}
