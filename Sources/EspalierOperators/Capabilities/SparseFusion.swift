import EspalierKernels
import EspalierTensors

/// What a sparse kernel does of a chain of epilogues in its own write, and what is left for steps of their own.
struct SparseFusion {
    /// The input that is added to the sums.
    private let residualPort: Int?
    private let activation: SparseEpilogue.Activation
    private let rest: [EpilogueStep]
    /// The input of the first addend among the rest.
    private let restPort: Int

    /// - Parameter addendPort: the input that is the first step's with an addend; others follow it.
    init(_ steps: [EpilogueStep], addendPort: Int) {
        var steps = steps[...]
        let addsFirst = steps.first == .add
        if addsFirst { steps.removeFirst() }
        residualPort = addsFirst ? addendPort : nil
        restPort = addsFirst ? addendPort + 1 : addendPort
        let activation = steps.first.flatMap(SparseEpilogue.Activation.init)
        if activation != nil { steps.removeFirst() }
        self.activation = activation ?? .none
        rest = Array(steps)
    }

    /// Where a run finds what it needs.
    struct Operands {
        let input: UnsafePointer<Float>
        let output: UnsafeMutablePointer<Float>
        let scratch: UnsafeMutableRawPointer
        /// nil unless asked for.
        let weights: UnsafePointer<Float>?
        let epilogue: SparseEpilogue
    }

    /// A kernel from input 0 to output 0 of `body` and the steps that are left.
    ///
    /// - Parameters:
    ///   - inputCount: with the addends.
    ///   - layouts: of the input, and of the output and the addends.
    ///   - scratch: in bytes.
    ///   - weights: an input that is read at every run; where weights were packed there is none.
    func kernel(
        inputCount: Int, output: Shape, layouts: (input: Layout, output: Layout) = (.plain, .plain),
        scratch byteCount: Int, weights: StagedKernel.Place? = nil, bias: StagedKernel.Place?,
        _ body: @escaping (Operands) -> Void
    ) throws(OperatorError) -> any Kernel {
        var builder = StagedKernel.Builder()
        // Without any it would have no place.
        let scratch = builder.scratch(byteCount: max(byteCount, 1))
        let optional = [weights, bias, residualPort.map { .input($0) }]
        let isGiven = optional.map { $0 != nil }
        let activation = activation
        // A place that is not read stands for one that is missing.
        builder.loop([.input(0), .output(0), scratch] + optional.map { $0 ?? scratch }) { memory in
            func floats(_ index: Int) -> UnsafePointer<Float>? {
                guard isGiven[index] else { return nil }
                return UnsafePointer(memory[3 + index]?.assumingMemoryBound(to: Float.self))
            }
            guard let input = memory[0]?.assumingMemoryBound(to: Float.self),
                let output = memory[1]?.assumingMemoryBound(to: Float.self), let scratch = memory[2]
            else { return }
            body(
                Operands(
                    input: input, output: output, scratch: scratch, weights: floats(0),
                    epilogue: SparseEpilogue(bias: floats(1), residual: floats(2), activation: activation)))
        }
        let destination = try layouts.output.dnn(output)
        var fused = FusedOperations(limit: 0)
        try fused.append(rest, addend: destination, addendPort: restPort)
        try fused.addRest(to: &builder, output: destination)
        var inputLayouts = [Layout](repeating: .plain, count: inputCount)
        inputLayouts[0] = layouts.input
        for port in (residualPort ?? restPort)..<inputCount { inputLayouts[port] = layouts.output }
        return builder.kernel(
            inputLayouts: inputLayouts, outputLayouts: [layouts.output],
            unreadInputs: weights == nil ? [1] : [], inPlaceInput: residualPort)
    }
}

extension SparseEpilogue.Activation {
    /// nil for what sparse kernels do not do.
    init?(_ step: EpilogueStep) {
        switch step {
        case .function(.relu, alpha: 0, beta: _): self = .relu
        case .function(.clip, let low, let high): self = .clip(low, high)
        case .function(.hardSwish, alpha: 1 / 6, beta: 0.5): self = .hardSwish
        case .function(.gelu, alpha: _, beta: _): self = .gelu
        default: return nil
        }
    }
}

extension LoweringContext {
    /// Inputs with the addends of fused sums.
    var fusedInputCount: Int { signature.inputs.count + epilogues.count(where: \.hasAddend) }
}
