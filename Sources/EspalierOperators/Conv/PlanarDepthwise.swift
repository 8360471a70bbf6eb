import EspalierKernels
import EspalierTensors

/// A depthwise convolution of row-major activations: between sparse convolutions, which make and want them, it saves oneDNN's
/// reorders to channels last and back.
struct PlanarDepthwise {
    private let convolution: DepthwiseConvolution
    private let output: Shape
    private let threads: Int

    /// nil where activations do not lie row-major already, and for what is not depthwise.
    init?(_ geometry: ConvGeometry, _ context: LoweringContext) {
        guard context.usesSparsity, context.phase == .inference, context.inputLayout(0) == .plain,
            Self.exists(for: geometry), let planar = SparseGeometry(geometry)
        else { return nil }
        convolution = DepthwiseConvolution(planar, multiplier: geometry.groupOutputs)
        output = geometry.output
        threads = context.threads
    }

    static func exists(for geometry: ConvGeometry) -> Bool {
        geometry.isDepthwise && geometry.batch > 0 && geometry.output.count > 0
            && geometry.windows.axes.count <= 2
    }

    func kernel(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let (convolution, threads) = (convolution, threads)
        let fusion = SparseFusion(context.epilogues, addendPort: context.signature.inputs.count)
        return try fusion.kernel(
            inputCount: context.fusedInputCount, output: output, scratch: threads * convolution.scratch,
            weights: .input(1), bias: context.signature.hasInput(2) ? .input(2) : nil
        ) { operands in
            guard let weights = operands.weights else { return }
            convolution.convolve(
                operands.input, weights, into: operands.output, then: operands.epilogue,
                scratch: operands.scratch, threads: threads)
        }
    }
}
