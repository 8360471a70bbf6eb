import EspalierKernels
import EspalierTensors

/// A convolution's oneDNN primitives, for activations in one layout; weights lie as each primitive likes.
///
/// Activations have their channels last, whatever their number. Measured with oneDNN 2.6 on AVX-512 (batch 64, one
/// thread, 3x3 and 5x5 kernels, forward and both gradients): for channels in multiples of 16 that is within 4 % of blocks
/// of 16 over the layers of resnet-8 and better from 64 channels on; for LeNet-5's 20 to 50, of which blocks would
/// compute 32 to 64, it takes 3.8 ms instead of 5.9; and below 16 channels blocks find no optimised gradient of the
/// weights at all. Row-major activations take two to five times as long.
///
/// Winograd's method, where it is allowed, has them in blocks of 16: oneDNN has no kernels of it for other layouts.
struct ConvPrimitives {
    let description: DNNConvolution
    let source: DNNLayout
    let destination: DNNLayout
    let hasBias: Bool
    let isChannelsLast: Bool
    let algorithm: DNNConvolutionAlgorithm

    /// - Throws: ``OperatorError/unsupported(_:)`` for more than three spatial axes and for empty tensors.
    init(
        _ geometry: ConvGeometry, signature: Signature, channelsLast: Bool = true
    ) throws(OperatorError) {
        let windows = geometry.windows
        let (input, output) = (signature.inputShape(0), geometry.output)
        guard windows.axes.count <= 3 else { throw .unsupported("\(windows.axes.count) spatial axes") }
        guard input.count > 0, output.count > 0, signature.inputShape(1).count > 0 else {
            throw .unsupported("an empty convolution")
        }
        guard signature.outputs[0].dtype == .float32 else { throw .unsupported("other types than float32") }
        description = try oneDNN { () throws(DNNError) in
            try DNNConvolution(
                source: input, weights: signature.inputShape(1), groups: geometry.groups,
                strides: windows.strides, dilations: windows.dilations,
                paddingBegin: windows.paddingBefore, paddingEnd: windows.paddingAfter)
        }
        func layout(_ shape: Shape) throws(OperatorError) -> DNNLayout {
            // Not by way of `Layout`, to which a single channel is row-major: oneDNN goes by the description.
            try oneDNN { () throws(DNNError) in try channelsLast ? .channelsLast(shape) : .plain(shape) }
        }
        source = try layout(input)
        destination = try layout(output)
        hasBias = signature.hasInput(2)
        isChannelsLast = channelsLast
        algorithm = .direct
    }

    /// By Winograd's method, for training.
    ///
    /// - Throws: ``OperatorError/unsupported(_:)`` where it does not pay, and where there is no kernel for it.
    init(winograd geometry: ConvGeometry, signature: Signature) throws(OperatorError) {
        guard geometry.suitsWinograd else { throw .unsupported("Winograd's method") }
        let direct = try ConvPrimitives(geometry, signature: signature)
        (description, hasBias) = (direct.description, direct.hasBias)
        (source, destination) = try oneDNN { () throws(DNNError) in
            let primitive = try DNNPrimitive.convolution(
                direct.description, bias: direct.hasBias, training: true, algorithm: .winograd)
            return (try primitive.layout(of: .source), try primitive.layout(of: .destination))
        }
        isChannelsLast = false
        algorithm = .winograd
    }

    /// - Parameter source: nil for its own of `float32`; weights have the same type.
    func forward(
        training: Bool, source: DNNLayout? = nil, postOperations: [DNNPostOperation] = []
    ) throws(OperatorError) -> DNNPrimitive {
        try oneDNN { () throws(DNNError) in
            try DNNPrimitive.convolution(
                description, bias: hasBias, training: training, algorithm: algorithm,
                source: source ?? self.source, destination: destination, postOperations: postOperations)
        }
    }

    /// As ``forward(training:source:postOperations:)``, or in `bfloat16` where `format` says so and there is a kernel.
    ///
    /// - Returns: the primitive for a stage, and where it takes its source, input 0, from.
    func forward(
        training: Bool, postOperations: [DNNPostOperation], _ format: KernelFormat,
        in builder: inout StagedKernel.Builder
    ) throws(OperatorError) -> (primitive: DNNPrimitive, source: StagedKernel.Place) {
        if format == .denseBFloat16 {
            let narrow = try oneDNN { () throws(DNNError) in try source.converted(to: .bfloat16) }
            let converted = try builder.convertSource(.input(0), from: source, to: narrow) {
                () throws(OperatorError) in
                try forward(training: training, source: narrow, postOperations: postOperations)
            }
            if let converted { return converted }
        }
        return (try forward(training: training, postOperations: postOperations), .input(0))
    }

    func sourceGradient() throws(OperatorError) -> DNNPrimitive {
        let forward = try forward(training: true)
        return try oneDNN { () throws(DNNError) in
            try DNNPrimitive.convolutionSourceGradient(
                description, forward: forward, algorithm: algorithm, sourceGradient: source,
                destinationGradient: destination)
        }
    }

    func weightsGradient(bias: Bool) throws(OperatorError) -> DNNPrimitive {
        let forward = try forward(training: true)
        return try oneDNN { () throws(DNNError) in
            try DNNPrimitive.convolutionWeightsGradient(
                description, bias: bias, forward: forward, algorithm: algorithm, source: source,
                destinationGradient: destination)
        }
    }
}

extension Conv {
    /// What `make` makes for channels last, or for row-major activations where only that is optimised; or by Winograd's method, if
    /// that is allowed and pays.
    func choosing<Result>(
        _ signature: Signature, sample: Bool = false, allowsWinograd: Bool = false,
        _ make: (ConvPrimitives) throws(OperatorError) -> (Result, [DNNPrimitive])
    ) throws(OperatorError) -> Result {
        var input = signature.inputShape(0)
        if sample { input[0] = 1 }
        let geometry = try geometry(input: input, weight: signature.inputShape(1))
        if allowsWinograd {
            do throws(OperatorError) {
                return try make(ConvPrimitives(winograd: geometry, signature: signature)).0
            } catch .unsupported {
                // Directly, then.
            }
        }
        var facts = signature.inputs
        facts[0]?.shape = input
        let signature = Signature(inputs: facts, outputs: signature.outputs)
        let (preferred, primitives) = try make(ConvPrimitives(geometry, signature: signature))
        guard primitives.contains(where: \.isReference) else { return preferred }
        let (other, others) = try make(
            ConvPrimitives(geometry, signature: signature, channelsLast: false))
        return others.count(where: \.isReference) < primitives.count(where: \.isReference)
            ? other : preferred
    }
}

extension ConvGeometry {
    /// Whether training by Winograd's method is faster, reorders between its blocks of channels and what stands around
    /// it included. Measured (AVX-512, forward and both gradients): 0.98 to 1.9 times as fast from 48 channels on each side
    /// with 128 tiles of 4x4 positions or more, three quarters full; up to ten times as slow with few tiles, and up to twice with
    /// half-empty ones or 16 to 24 channels.
    fileprivate var suitsWinograd: Bool {
        guard groups == 1, windows.kernel == [3, 3], windows.strides == [1, 1], windows.dilations == [1, 1],
            min(inputChannels, outputChannels) >= 32, inputChannels * outputChannels >= 48 * 48
        else { return false }
        let tiles = windows.outputs.reduce(batch) { $0 * (($1 + 3) / 4) }
        return tiles >= 128 && 4 * batch * outputPositions >= 3 * 16 * tiles
    }
}
