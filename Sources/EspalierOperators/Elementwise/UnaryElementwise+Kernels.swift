import EspalierTensors

extension UnaryElementwise {
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try context.signature.requireSinglePrecision()
        let shape = context.signature.inputShape(0)
        let layout = context.inputLayout(0).forElements(of: shape, paddingStaysZero: value(0 as Float) == 0)
        return ElementwiseKernel(inputs: [layout], outputs: [layout], shape: shape, inPlaceInput: 0) {
            memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in range { output[index] = value(input[index]) }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let shape = context.signature.inputShape(0)
        let gradientPort = context.gradientPort()
        let (read, unread) =
            derivativeTakesOutput
            ? (context.outputPort(0), context.inputPort(0)) : (context.inputPort(0), context.outputPort(0))
        // Zero padding times the derivative at f(0), or at 0, stays zero if that is finite.
        let atZero = derivative(derivativeTakesOutput ? value(0 as Float) : 0)
        let layout = context.forward.outputLayouts[0]
            .forElements(of: shape, paddingStaysZero: atZero.isFinite && derivative(0 as Float).isFinite)
        return ElementwiseKernel(
            inputs: [Layout](repeating: layout, count: context.backwardInputCount), outputs: [layout],
            shape: shape, unreadInputs: [unread], inPlaceInput: gradientPort
        ) { memory, range in
            guard let argument = memory.input(read)?.assumingMemoryBound(to: Float.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self),
                let result = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in range { result[index] = gradient[index] * derivative(argument[index]) }
        }
    }
}
