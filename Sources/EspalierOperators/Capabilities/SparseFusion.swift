import EspalierKernels

/// What a sparse kernel does of a chain of epilogues in its own write, and what is left for steps of their own.
struct SparseFusion {
    /// The input that is added to the sums.
    private(set) var residualPort: Int?
    private(set) var activation = SparseEpilogue.Activation.none
    private(set) var rest: [EpilogueStep] = []
    /// The input of the first addend among the rest.
    private(set) var restPort: Int

    /// - Parameter addendPort: the input that is the first step's with an addend; others follow it.
    init(_ steps: [EpilogueStep], addendPort: Int) {
        var steps = steps[...]
        restPort = addendPort
        if steps.first == .add {
            residualPort = addendPort
            restPort += 1
            steps.removeFirst()
        }
        if let activation = steps.first.flatMap(SparseEpilogue.Activation.init) {
            self.activation = activation
            steps.removeFirst()
        }
        rest = Array(steps)
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

extension StagedKernel.Builder {
    /// A loop from input 0 to output 0.
    mutating func sparseLoop(
        _ scratch: StagedKernel.Place, bias: StagedKernel.Place?, residual: StagedKernel.Place?,
        _ body:
            @escaping (
                _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
                _ scratch: UnsafeMutableRawPointer, _ bias: UnsafePointer<Float>?,
                _ residual: UnsafePointer<Float>?
            ) -> Void
    ) {
        let (hasBias, hasResidual) = (bias != nil, residual != nil)
        // A place that is not read stands for one that is missing.
        loop([.input(0), .output(0), scratch, bias ?? scratch, residual ?? scratch]) { memory in
            guard let input = memory[0]?.assumingMemoryBound(to: Float.self),
                let output = memory[1]?.assumingMemoryBound(to: Float.self), let scratch = memory[2]
            else { return }
            body(
                input, output, scratch,
                hasBias ? UnsafePointer(memory[3]?.assumingMemoryBound(to: Float.self)) : nil,
                hasResidual ? UnsafePointer(memory[4]?.assumingMemoryBound(to: Float.self)) : nil)
        }
    }
}
