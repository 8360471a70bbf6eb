import EspalierKernels
import EspalierTensors

/// A convolution by constant weights, many of them zero, which are left out.
///
/// Activations and outputs are row-major: the kernel's registers hold neighbouring positions of one channel.
struct SparseConvolution {
    private let matrix: SparseMatrix
    private let geometry: SparseGeometry
    private let output: Shape
    private let hasBias: Bool
    private let threads: Int

    /// nil where the dense convolution is as fast or there is no sparse kernel: for depthwise convolutions, more than two spatial
    /// axes, and weights that are not constant.
    init?(_ geometry: ConvGeometry, _ context: LoweringContext) {
        let axes = geometry.windows.axes
        guard context.usesSparsity, context.phase == .inference, let weight = context.signature.constant(1),
            weight.dtype == .float32, !geometry.isDepthwise, let columns = axes.last, axes.count <= 2,
            context.signature.inputShape(0).count > 0, geometry.output.count > 0, weight.count > 0
        else { return nil }
        let positions = geometry.batch * geometry.outputPositions
        let work = SparseWork(
            rows: geometry.groupOutputs, depth: geometry.groupInputs * geometry.kernelPositions,
            columns: positions,
            density: Double(weight.nonzeroCount) / Double(weight.count))
        guard work.isWorthwhile else { return nil }
        let rows = axes.count == 2 ? axes[0] : nil
        self.geometry = SparseGeometry(
            samples: geometry.batch, channels: geometry.inputChannels,
            input: (rows?.input ?? 1, columns.input), kernel: (rows?.kernel ?? 1, columns.kernel),
            strides: (rows?.stride ?? 1, columns.stride), dilations: (rows?.dilation ?? 1, columns.dilation),
            paddingBefore: (rows?.paddingBefore ?? 0, columns.paddingBefore),
            output: (rows?.output ?? 1, columns.output))
        matrix = SparseMatrix(
            weight, rows: geometry.outputChannels, groups: geometry.groups, channels: geometry.groupInputs,
            taps: geometry.kernelPositions, columns: positions, threads: context.threads)
        output = geometry.output
        hasBias = context.signature.hasInput(2)
        threads = context.threads
    }

    func kernel(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let inputCount = context.signature.inputs.count
        let fusion = SparseFusion(context.epilogues, addendPort: inputCount)
        let (matrix, geometry, threads) = (matrix, geometry, threads)
        var builder = StagedKernel.Builder()
        let scratch = builder.scratch(byteCount: threads * matrix.convolutionScratch(geometry))
        let bias: StagedKernel.Place? = hasBias ? .input(2) : nil
        let residual = fusion.residualPort.map { StagedKernel.Place.input($0) }
        builder.sparseLoop(scratch, bias: bias, residual: residual) {
            input, output, scratch, bias, residual in
            matrix.convolve(
                input, geometry, into: output,
                then: SparseEpilogue(bias: bias, residual: residual, activation: fusion.activation),
                scratch: scratch, threads: threads)
        }
        let plain = try oneDNN { () throws(DNNError) in try DNNLayout.plain(output) }
        var rest = FusedOperations(limit: 0)
        try rest.append(fusion.rest, addend: plain, addendPort: fusion.restPort)
        try rest.addRest(to: &builder, output: plain)
        return builder.kernel(
            inputLayouts: [Layout](
                repeating: .plain, count: inputCount + context.epilogues.count(where: \.hasAddend)),
            outputLayouts: [.plain], unreadInputs: [1], inPlaceInput: fusion.residualPort)
    }
}
