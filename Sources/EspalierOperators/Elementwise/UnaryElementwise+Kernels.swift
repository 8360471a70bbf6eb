import EspalierKernels
import EspalierTensors

extension UnaryElementwise {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try context.signature.requireSinglePrecision()
        let shape = context.signature.inputShape(0)
        if let kernel = try lowerOnLibrary(context, shape: shape) { return kernel }
        let layout = context.inputLayout(0).forElements(of: shape, paddingStaysZero: value(0 as Float) == 0)
        return ElementwiseKernel(inputs: [layout], outputs: [layout], shape: shape, inPlaceInput: 0) {
            memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            values(input + range.lowerBound, into: output + range.lowerBound, count: range.count)
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let shape = context.signature.inputShape(0)
        let gradientPort = context.gradientPort()
        let (read, unread) =
            derivativeTakesOutput
            ? (context.outputPort(0), context.inputPort(0)) : (context.inputPort(0), context.outputPort(0))
        if let kernel = try lowerBackwardOnLibrary(context, shape: shape, reading: read) { return kernel }
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
            let start = range.lowerBound
            gradients(argument + start, gradient + start, into: result + start, count: range.count)
        }
    }

    // MARK: On oneDNN

    /// The function as oneDNN has it, if that is worth a call: where the C library would be called per element.
    private var libraryFunction: DNNElementwise? {
        guard case .function(let function, let alpha, let beta) = function, function.isTranscendental else {
            return nil
        }
        return function.dnn(alpha: alpha, beta: beta)
    }

    private func lowerOnLibrary(
        _ context: LoweringContext, shape: Shape
    ) throws(OperatorError) -> (any Kernel)? {
        guard let function = libraryFunction, shape.count > 0 else { return nil }
        let layout = context.inputLayout(0)
        let source = try layout.dnnElements(of: shape)
        var builder = StagedKernel.Builder()
        try builder.primitive(
            try oneDNN { () throws(DNNError) in
                try .elementwise(
                    function, training: context.phase.isTraining,
                    gradientFromResult: takesResult(function), source: source)
            }, [.source: .input(0), .destination: .output(0)])
        return builder.kernel(inputLayouts: [layout], outputLayouts: [layout], inPlaceInput: 0)
    }

    private func lowerBackwardOnLibrary(
        _ context: BackwardContext, shape: Shape, reading port: Int
    ) throws(OperatorError) -> (any Kernel)? {
        guard let function = libraryFunction, shape.count > 0, derivativeTakesOutput == takesResult(function)
        else { return nil }
        let layout = context.forward.outputLayouts[0]
        let source = try layout.dnnElements(of: shape)
        let gradientPort = context.gradientPort()
        var builder = StagedKernel.Builder()
        let primitive = try oneDNN { () throws(DNNError) in
            let forward = try DNNPrimitive.elementwise(
                function, training: true, gradientFromResult: takesResult(function), source: source)
            return try DNNPrimitive.elementwiseGradient(
                function, forward: forward, gradientFromResult: takesResult(function), gradients: source)
        }
        try builder.primitive(
            primitive,
            [
                (takesResult(function) ? .destination : .source, .input(port)),
                (.destinationGradient, .input(gradientPort)), (.sourceGradient, .output(0)),
            ])
        var layouts = [Layout](repeating: .plain, count: context.backwardInputCount)
        layouts[port] = layout
        layouts[gradientPort] = layout
        let unread = Set(0..<context.backwardInputCount).subtracting([port, gradientPort])
        return builder.kernel(
            inputLayouts: layouts, outputLayouts: [layout], unreadInputs: unread, inPlaceInput: gradientPort)
    }

    private func takesResult(_ function: DNNElementwise) -> Bool {
        derivativeTakesOutput && function.gradientFromResult
    }
}

extension Layout {
    /// As ``dnn(_:)``, with row-major elements along one axis: oneDNN knows no more than twelve.
    fileprivate func dnnElements(of shape: Shape) throws(OperatorError) -> DNNLayout {
        try dnn(self == .plain ? [shape.count] : shape)
    }
}

extension ScalarFunction {
    /// Whether it takes more than a few arithmetic operations per element.
    fileprivate var isTranscendental: Bool {
        switch self {
        case .elu, .tanh, .logistic, .softPlus, .gelu, .geluTanh, .exp, .log, .swish, .mish: true
        case .relu, .hardSwish, .hardSigmoid, .clip, .abs, .squareRoot, .square, .linear: false
        }
    }
}
