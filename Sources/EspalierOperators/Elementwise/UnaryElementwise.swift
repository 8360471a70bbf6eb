import EspalierTensors

/// An operator that applies one real function to every element of its only real input.
///
/// Conforming types give the function and its derivative; everything else follows. Where oneDNN has the
/// function, ``function`` names it, and kernels, gradients and fusion use it.
package protocol UnaryElementwise: AxisLinking, Differentiable, Lowering, Epilogue {
    func value<Real: ReferenceReal>(_ x: Real) -> Real
    func derivative<Real: ReferenceReal>(_ x: Real) -> Real
    /// The same function as a fusible step, or nil if there is none.
    var function: EpilogueStep? { get }
}

extension UnaryElementwise {
    package var function: EpilogueStep? { nil }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? { function }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        return [ValueFacts(dtype: input.dtype, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        return [.real(input.map { value($0) })]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        for axis in 0..<signature.inputShape(0).rank {
            links.link(.input(0, axis: axis), .output(0, axis: axis))
        }
        return links
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let count = context.signature.inputShape(0).count
        return PlainKernel(inputCount: 1, outputCount: 1, inPlaceInput: 0) { memory in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in 0..<count { output[index] = value(input[index]) }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let count = context.signature.inputShape(0).count
        let gradientPort = context.gradientPort()
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: 1, unreadInputs: [context.outputPort(0)]
        ) { memory in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self),
                let result = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in 0..<count { result[index] = gradient[index] * derivative(input[index]) }
        }
    }
}
