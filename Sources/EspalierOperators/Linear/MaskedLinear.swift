import EspalierGraphs
import EspalierKernels
import EspalierTensors

/// Rows times a matrix of which many elements are masked, in training: forward and backward leave them out.
struct MaskedLinear {
    private let product: MaskedProduct

    /// With more of the weights, dense products are faster: in whole training steps of lenet-300-100 at batch 60, masked ones lost
    /// 12 % with two fifths of the weights and won 44 % with a fifth (AVX-512).
    private static let mostKept = 0.3

    /// nil where nothing is masked that would be worth leaving out.
    ///
    /// - Parameters:
    ///   - mask: of the matrix, [inputs, outputs], or [outputs, inputs] if `isTransposed`.
    ///   - rows: how many rows are multiplied with it.
    init?(_ mask: Mask?, isTransposed: Bool, rows: Int) {
        guard let mask, mask.shape.rank == 2, mask.shape.count <= Int(UInt32.max),
            Double(mask.keptCount) <= Self.mostKept * Double(mask.shape.count)
        else { return nil }
        product = MaskedProduct(
            kept: mask.kept, outputs: mask.shape[isTransposed ? 0 : 1],
            inputs: mask.shape[isTransposed ? 1 : 0], isInputMajor: !isTransposed, samples: rows)
    }

    /// The kernel of the product of inputs 0 and 1. It leaves the transposed rows in the workspace.
    func forward(inputCount: Int, bias: Int?) -> any Kernel {
        let product = product
        var builder = StagedKernel.Builder()
        let outputs = builder.scratch(byteCount: product.outputByteCount)
        Self.transpose(.input(0), to: .workspace, product.transposition(features: product.inputs), &builder)
        let places = [.input(1), .workspace, outputs] + (bias.map { [StagedKernel.Place.input($0)] } ?? [])
        builder.loop(places) { memory in
            guard let weights = memory[0]?.assumingMemoryBound(to: Float.self),
                let inputs = memory[1]?.assumingMemoryBound(to: Float.self),
                let outputs = memory[2]?.assumingMemoryBound(to: Float.self)
            else { return }
            let bias = memory.count > 3 ? memory[3]?.assumingMemoryBound(to: Float.self) : nil
            product.forward(weights, bias: bias.map { UnsafePointer($0) }, inputs, into: outputs)
        }
        Self.transpose(
            outputs, to: .output(0), product.transpositionBack(features: product.outputs), &builder)
        return builder.kernel(
            inputLayouts: [Layout](repeating: .plain, count: inputCount), outputLayouts: [.plain],
            workspaceByteCount: product.inputByteCount)
    }

    /// Adds the gradients that are wanted of inputs 0 and 1.
    func addGradients(_ context: BackwardContext, to builder: inout StagedKernel.Builder) {
        let product = product
        let gradient = builder.scratch(byteCount: product.outputByteCount)
        Self.transpose(
            .input(context.gradientPort()), to: gradient, product.transposition(features: product.outputs),
            &builder)
        if context.isWanted(1) {
            builder.addZeroes(.output(1), count: product.inputs * product.outputs)
            builder.loop([.workspace, gradient, .output(1)]) { memory in
                guard let inputs = memory[0]?.assumingMemoryBound(to: Float.self),
                    let gradient = memory[1]?.assumingMemoryBound(to: Float.self),
                    let weights = memory[2]?.assumingMemoryBound(to: Float.self)
                else { return }
                product.weightGradient(inputs, gradient, into: weights)
            }
        }
        guard context.isWanted(0) else { return }
        let inputs = builder.scratch(byteCount: product.inputByteCount)
        builder.loop([.input(1), gradient, inputs]) { memory in
            guard let weights = memory[0]?.assumingMemoryBound(to: Float.self),
                let gradient = memory[1]?.assumingMemoryBound(to: Float.self),
                let inputs = memory[2]?.assumingMemoryBound(to: Float.self)
            else { return }
            product.inputGradient(weights, gradient, into: inputs)
        }
        Self.transpose(inputs, to: .output(0), product.transpositionBack(features: product.inputs), &builder)
    }

    private static func transpose(
        _ source: StagedKernel.Place, to target: StagedKernel.Place, _ transposition: Transposition,
        _ builder: inout StagedKernel.Builder
    ) {
        builder.loop([source, target]) { memory in
            guard let source = memory[0]?.assumingMemoryBound(to: Float.self),
                let target = memory[1]?.assumingMemoryBound(to: Float.self)
            else { return }
            transposition(from: source, to: target)
        }
    }
}
