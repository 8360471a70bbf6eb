import EspalierKernels
import EspalierTensors

extension MatMul: EpilogueAccepting {
    package func accepts(_ step: EpilogueStep, signature: Signature) -> Bool {
        // The result of a product with a vector on the right has no axis of columns.
        step == .addVector ? signature.inputShape(1).rank > 1 : step.postOperation != nil
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice {
        let rows = (try? dense(signature))?.rows ?? 0
        return SparseLinear.work(signature.constant(1), isTransposed: false, rows: rows)
            .map { .product($0, dense: .plain) } ?? .fixed(input: .plain, output: .plain)
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let dense = try dense(signature)
        var (epilogues, addendPort) = (context.epilogues, signature.inputs.count)
        var bias: StagedKernel.Place?
        if epilogues.first == .addVector {
            // A kernel's own bias is cheaper than a sum behind the product.
            bias = .input(addendPort)
            addendPort += 1
            epilogues.removeFirst()
        }
        if let sparse = SparseLinear(signature.constant(1), isTransposed: false, rows: dense.rows, context) {
            return try sparse.kernel(
                inputCount: context.fusedInputCount, bias: bias, epilogues: epilogues, addendPort: addendPort)
        }
        var fused = FusedOperations()
        let addend = try oneDNN { () throws(DNNError) in try DNNLayout.plain(dense.output) }
        try fused.append(epilogues, addend: addend, addendPort: addendPort)
        var builder = StagedKernel.Builder()
        let isConstant = context.phase == .inference && signature.constant(1) != nil
        let right = try dense.addForward(
            to: &builder, bias: bias, fused: fused,
            choosesRight: isConstant && signature.inputShape(1).rank == 2, precision: context.precision)
        var layouts = [Layout](repeating: .plain, count: context.fusedInputCount)
        layouts[1] = right
        return builder.kernel(inputLayouts: layouts, outputLayouts: [.plain])
    }

    func dense(_ signature: Signature) throws(OperatorError) -> DenseProduct {
        guard signature.outputs[0].dtype == .float32 else { throw .unsupported("integers") }
        return try DenseProduct(MatrixProduct(left: signature.inputShape(0), right: signature.inputShape(1)))
    }
}

extension MatMul: PerSampleSquares {
    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let dense = try dense(context.signature)
        var builder = StagedKernel.Builder()
        let gradient = StagedKernel.Place.input(context.gradientPort())
        if context.isWanted(0) {
            try dense.addLeftGradient(to: &builder, right: .input(1), gradient: gradient, into: .output(0))
        }
        if context.isWanted(1) {
            try dense.addRightGradient(to: &builder, left: .input(0), gradient: gradient, into: .output(1))
        }
        return builder.productGradientKernel(context)
    }

    package func lowerPerSampleSquares(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        var builder = StagedKernel.Builder()
        if context.isWanted(0) { try addSquares(of: 0, context, to: &builder) }
        if context.isWanted(1) { try addSquares(of: 1, context, to: &builder) }
        return builder.productGradientKernel(context)
    }

    /// The sum over samples of the squared gradient of one side, a constant; axis 0 of the other is the batch.
    private func addSquares(
        of port: Int, _ context: BackwardContext, to builder: inout StagedKernel.Builder
    ) throws(OperatorError) {
        let (parameter, other) = (context.signature.inputShape(port), context.signature.inputShape(1 - port))
        let output = context.signature.outputShape()
        let gradient = StagedKernel.Place.input(context.gradientPort())
        if port == 1, other.rank == 2, parameter.rank <= 2 {
            // Every row is a sample: (x^T dy)^2 summed over samples is (x^2)^T dy^2.
            try dense(context.signature).addSquaredRightGradient(
                to: &builder, left: .input(0), gradient: gradient, into: .output(1))
            return
        }
        guard other.rank == output.rank, other.rank > 2, parameter.rank < other.rank || parameter[0] == 1,
            context.signature.constant(1 - port) == nil
        else { throw .unsupported("per-sample gradients of \(parameter) beside \(other)") }
        let samples = other[0]
        var single = other
        single[0] = 1
        let sample = try DenseProduct(
            port == 1
                ? MatrixProduct(left: single, right: parameter)
                : MatrixProduct(left: parameter, right: single))
        let count = parameter.count
        let part = builder.scratch(byteCount: 4 * count)
        builder.addZeroes(.output(port), count: count)
        try builder.forEachSample(samples) { builder throws(OperatorError) in
            let factor = StagedKernel.Place.input(1 - port).perSample(4 * other.count / samples)
            let gradient = gradient.perSample(4 * output.count / samples)
            if port == 1 {
                try sample.addRightGradient(to: &builder, left: factor, gradient: gradient, into: part)
            } else {
                try sample.addLeftGradient(to: &builder, right: factor, gradient: gradient, into: part)
            }
            builder.addSquares(of: part, to: .output(port), count: count)
        }
    }
}
