import EspalierTensors

/// The extents of one convolution, checked.
struct ConvGeometry: Hashable, Sendable {
    let batch: Int
    let groups: Int
    let inputChannels: Int
    let outputChannels: Int
    let windows: Windows

    /// The channels of one group.
    var groupInputs: Int { inputChannels / groups }
    var groupOutputs: Int { outputChannels / groups }
    /// The positions of one channel of the input, of the output, and of the weight.
    var inputPositions: Int { windows.axes.reduce(1) { $0 * $1.input } }
    var outputPositions: Int { windows.axes.reduce(1) { $0 * $1.output } }
    var kernelPositions: Int { windows.axes.reduce(1) { $0 * $1.kernel } }

    /// Whether every input channel is convolved by itself.
    var isDepthwise: Bool { groups > 1 && groups == inputChannels }

    var output: Shape { Shape([batch, outputChannels] + windows.outputs) }

    /// - Throws: ``OperatorError`` if the shapes do not fit each other.
    init(
        input: Shape, weight: Shape, groups: Int, attributes: WindowAttributes
    ) throws(OperatorError) {
        guard input.rank >= 3 else {
            throw .input(0, problem: "has shape \(input), but a batch, channels and positions are needed")
        }
        guard weight.rank == input.rank else {
            throw .input(1, problem: "has shape \(weight), which cannot convolve \(input)")
        }
        guard input[1] % groups == 0, input[1] / groups == weight[1], weight[0] % groups == 0 else {
            throw .shapes("cannot convolve \(input) with \(weight) in \(groups) groups")
        }
        let kernel = Array(weight.extents.dropFirst(2))
        windows = try attributes.windows(over: Array(input.extents.dropFirst(2)), kernel: kernel)
        guard windows.kernel == kernel else {
            throw .attribute("kernel_shape", problem: "\(windows.kernel) does not fit the weight, \(weight)")
        }
        batch = input[0]
        self.groups = groups
        inputChannels = input[1]
        outputChannels = weight[0]
    }
}
