import EspalierKernels
import EspalierTensors

/// A convolution by constant weights, many of them zero, which are left out.
///
/// Activations and outputs are row-major: the kernel's registers hold neighbouring positions of one channel.
struct SparseConvolution {
    private let matrix: SparseMatrix
    private let geometry: SparseGeometry
    private let output: Shape
    private let threads: Int

    /// nil where the dense convolution is as fast or there is no sparse kernel: for depthwise convolutions, more than two
    /// spatial axes, and weights that are not constant.
    init?(_ geometry: ConvGeometry, _ context: LoweringContext) {
        guard context.usesSparsity, context.phase == .inference, let weight = context.signature.constant(1),
            weight.dtype == .float32, !geometry.isDepthwise, let planar = SparseGeometry(geometry),
            context.signature.inputShape(0).count > 0, geometry.output.count > 0, weight.count > 0
        else { return nil }
        let positions = geometry.batch * geometry.outputPositions
        let work = SparseWork(
            rows: geometry.groupOutputs, depth: geometry.groupInputs * geometry.kernelPositions,
            columns: positions, density: Double(weight.nonzeroCount) / Double(weight.count))
        guard work.isWorthwhile else { return nil }
        self.geometry = planar
        matrix = SparseMatrix(
            weight, rows: geometry.outputChannels, groups: geometry.groups, channels: geometry.groupInputs,
            taps: geometry.kernelPositions, columns: positions, threads: context.threads)
        output = geometry.output
        threads = context.threads
    }

    func kernel(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let (matrix, geometry, threads) = (matrix, geometry, threads)
        let fusion = SparseFusion(context.epilogues, addendPort: context.signature.inputs.count)
        return try fusion.kernel(
            inputCount: context.fusedInputCount, output: output,
            scratch: threads * matrix.convolutionScratch(geometry),
            bias: context.signature.hasInput(2) ? .input(2) : nil
        ) { operands in
            matrix.convolve(
                operands.input, geometry, into: operands.output, then: operands.epilogue,
                scratch: operands.scratch, threads: threads)
        }
    }
}

extension SparseGeometry {
    /// nil for more than two spatial axes.
    init?(_ geometry: ConvGeometry) {
        let axes = geometry.windows.axes
        guard let columns = axes.last, axes.count <= 2 else { return nil }
        let rows = axes.count == 2 ? axes[0] : nil
        self.init(
            samples: geometry.batch, channels: geometry.inputChannels,
            input: (rows?.input ?? 1, columns.input), kernel: (rows?.kernel ?? 1, columns.kernel),
            strides: (rows?.stride ?? 1, columns.stride), dilations: (rows?.dilation ?? 1, columns.dilation),
            paddingBefore: (rows?.paddingBefore ?? 0, columns.paddingBefore),
            output: (rows?.output ?? 1, columns.output))
    }
}
