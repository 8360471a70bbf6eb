import EspalierGraphs
import EspalierKernels
package import EspalierTensors

extension Gemm: EpilogueAccepting {
    package func accepts(_ step: EpilogueStep, signature: Signature) -> Bool {
        step == .addVector || step.postOperation != nil
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice {
        guard let dense = try? dense(signature), isPlainProduct(dense, signature),
            let work = SparseLinear.work(
                signature.constant(1), isTransposed: transposesRight, rows: dense.rows)
        else { return .fixed(input: .plain, output: .plain) }
        return .product(work, dense: .plain)
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let dense = try dense(signature)
        if isPlainProduct(dense, signature),
            let sparse = SparseLinear(
                signature.constant(1), isTransposed: transposesRight, rows: dense.rows, context)
        {
            return try sparse.kernel(
                inputCount: context.fusedInputCount, bias: hasBias(dense, signature) ? .input(2) : nil,
                epilogues: context.epilogues,
                addendPort: signature.inputs.count)
        }
        if let masked = masked(dense, signature, context.mask(1)), context.epilogues.isEmpty {
            return masked.forward(
                inputCount: context.fusedInputCount, bias: hasBias(dense, signature) ? 2 : nil)
        }
        var builder = StagedKernel.Builder()
        var fused = FusedOperations()
        if alpha != 1 { fused.append(.elementwise(.linear(scale: alpha))) }
        var bias: StagedKernel.Place?
        if signature.hasInput(2), beta != 0 {
            let addend = signature.inputShape(2)
            let shape = Shape([Int](repeating: 1, count: 2 - addend.rank) + addend.extents)
            let place = builder.addScaled(.input(2), by: beta, count: addend.count)
            if alpha == 1, shape == [1, dense.columns] {
                bias = place
            } else {
                let operand = try oneDNN { () throws(DNNError) in try DNNOperand.plain(shape) }
                fused.append(.binary(.add, operand), operand: place)
            }
        }
        let addend = try oneDNN { () throws(DNNError) in try DNNLayout.plain(dense.output) }
        try fused.append(context.epilogues, addend: addend, addendPort: signature.inputs.count)
        let right = try dense.addForward(
            to: &builder, bias: bias, fused: fused,
            choosesRight: context.phase == .inference && signature.constant(1) != nil,
            precision: context.precision)
        var layouts = [Layout](repeating: .plain, count: context.fusedInputCount)
        layouts[1] = right
        return builder.kernel(
            inputLayouts: layouts, outputLayouts: [.plain],
            unreadInputs: beta == 0 && signature.hasInput(2) ? [2] : [])
    }

    /// Whether C is one number for each column, added as it is.
    private func hasBias(_ dense: DenseProduct, _ signature: Signature) -> Bool {
        beta == 1 && signature.hasInput(2) && signature.inputShape(2).extents.last == dense.columns
            && signature.inputShape(2).count == dense.columns
    }

    /// Whether it is rows times a matrix, and a bias at most.
    private func isPlainProduct(_ dense: DenseProduct, _ signature: Signature) -> Bool {
        alpha == 1 && !transposesLeft
            && (beta == 0 || !signature.hasInput(2) || hasBias(dense, signature))
    }

    /// What leaves out masked weights, where that is worth it.
    private func masked(_ dense: DenseProduct, _ signature: Signature, _ mask: Mask?) -> MaskedLinear? {
        guard mask != nil, isPlainProduct(dense, signature) else { return nil }
        return MaskedLinear(mask, isTransposed: transposesRight, rows: dense.rows)
    }

    func dense(_ signature: Signature) throws(OperatorError) -> DenseProduct {
        guard signature.outputs[0].dtype == .float32 else { throw .unsupported("integers") }
        return try DenseProduct(
            product(signature.inputShape(0), signature.inputShape(1)), leftTransposed: transposesLeft,
            rightTransposed: transposesRight, alpha: alpha)
    }
}

extension Gemm: PerSampleSquares {
    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let dense = try dense(context.signature)
        var builder = StagedKernel.Builder()
        let gradient = StagedKernel.Place.input(context.gradientPort())
        if let masked = masked(dense, context.signature, context.mask(1)) {
            masked.addGradients(context, to: &builder)
            if context.isWanted(2) { addAddendGradient(context, to: &builder, squares: false) }
            return builder.productGradientKernel(context)
        }
        if context.isWanted(0) {
            try dense.addLeftGradient(to: &builder, right: .input(1), gradient: gradient, into: .output(0))
        }
        if context.isWanted(1) {
            try dense.addRightGradient(to: &builder, left: .input(0), gradient: gradient, into: .output(1))
        }
        if context.isWanted(2) { addAddendGradient(context, to: &builder, squares: false) }
        return builder.productGradientKernel(context)
    }

    /// Every row of A is a sample.
    package func lowerPerSampleSquares(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        guard !transposesLeft, !context.isWanted(0) else {
            throw .unsupported("per-sample gradients where the rows of A are not the batch")
        }
        var builder = StagedKernel.Builder()
        if context.isWanted(1) {
            try dense(context.signature).addSquaredRightGradient(
                to: &builder, left: .input(0), gradient: .input(context.gradientPort()), into: .output(1))
        }
        if context.isWanted(2) { addAddendGradient(context, to: &builder, squares: true) }
        return builder.productGradientKernel(context)
    }

    /// Adds the gradient of C: beta times the output's, summed over the axes that C is broadcast along; or the sum
    /// over the rows of each row's squared contribution to it.
    private func addAddendGradient(
        _ context: BackwardContext, to builder: inout StagedKernel.Builder, squares: Bool
    ) {
        let output = context.signature.outputShape()
        let (rows, columns) = (output[0], output[1])
        let addend = context.signature.inputShape(2)
        let count = addend.count
        let addendColumns = addend.rank > 0 ? addend[addend.rank - 1] : 1
        let rowStride = addend.rank > 1 && addend[0] == rows ? addendColumns : 0
        let beta = beta
        builder.loop([.input(context.gradientPort()), .output(2)]) { memory in
            guard var row = memory[0].map({ UnsafePointer($0.assumingMemoryBound(to: Float.self)) }),
                var target = memory[1]?.assumingMemoryBound(to: Float.self)
            else { return }
            let whole = target
            target.update(repeating: 0, count: count)
            for _ in 0..<rows {
                if addendColumns == columns {
                    if squares {
                        ElementLoops.addSquares(of: row, to: target, count: columns)
                    } else {
                        ElementLoops.add(row, to: target, count: columns)
                    }
                } else {
                    var sum: Float = 0
                    for column in 0..<columns { sum += row[column] }
                    target[0] += squares ? sum * sum : sum
                }
                row += columns
                target += rowStride
            }
            let scale = squares ? beta * beta : beta
            if scale != 1 { for index in 0..<count { whole[index] *= scale } }
        }
    }
}

extension Gemm: ChannelAffineFolding {
    package func folding(
        scale: [Double], shift: [Double], signature: Signature
    ) -> [Int: Tensor]? {
        guard let right = signature.constant(1), beta != 0, let product = product(signature),
            scale.count == product.columns, shift.count == product.columns
        else { return nil }
        var shape: Shape = [product.columns]
        var sums = [Double](repeating: 0, count: product.columns)
        if signature.hasInput(2) {
            guard let addend = signature.constant(2), let common = addend.shape.broadcast(with: shape) else {
                return nil
            }
            let elements = addend.scalars(as: Double.self)
            sums = addend.shape.broadcastPositions(in: common).map { elements[$0] }
            shape = common
        }
        for index in sums.indices {
            let column = index % product.columns
            sums[index] = scale[column] * sums[index] + shift[column] / Double(beta)
        }
        return [
            1: right.multiplied {
                scale[transposesRight ? $0 / product.inner : $0 % product.columns]
            },
            2: Tensor(shape: shape, scalars: sums).converted(to: right.dtype),
        ]
    }
}
