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

    /// The work that it would do; nil where there is no sparse kernel, for depthwise convolutions, more than two spatial
    /// axes, and weights that are not constant, and where no weight is zero.
    static func work(_ geometry: ConvGeometry, _ signature: Signature) -> KernelWork? {
        let input = signature.inputShape(0)
        guard let weight = signature.constant(1), weight.dtype == .float32, !geometry.isDepthwise,
            geometry.windows.axes.count <= 2, input.count > 0, geometry.output.count > 0
        else { return nil }
        let nonzeros = weight.nonzeroCount
        guard nonzeros < weight.count else { return nil }
        let positions = geometry.batch * geometry.outputPositions
        return KernelWork(
            rows: geometry.outputChannels, columns: geometry.groupInputs * geometry.kernelPositions,
            groups: geometry.groups, samples: positions, nonzeros: nonzeros,
            activationByteCount: 4 * (input.count + geometry.output.count),
            taps: geometry.kernelPositions,
            isBanded: SparseMatrix.isBanded(
                weight, rows: geometry.outputChannels, groups: geometry.groups,
                channels: geometry.groupInputs,
                taps: geometry.kernelPositions, columns: positions))
    }

    /// nil where zeros are not to be left out, or there is no sparse kernel.
    init?(_ geometry: ConvGeometry, _ context: LoweringContext) {
        guard context.usesSparsity, context.phase == .inference, let weight = context.signature.constant(1),
            Self.work(geometry, context.signature) != nil, let planar = SparseGeometry(geometry)
        else { return nil }
        let positions = geometry.batch * geometry.outputPositions
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
