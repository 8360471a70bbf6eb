/// A small network of depthwise separable convolutions (after Howard 2017): a 3x3 stem of 16 channels, then pairs of a
/// 3x3 depthwise and a 1x1 pointwise convolution, each with batch norm and activation.
package struct MobileNetTiny: Architecture {
    package let name = "mobilenet-tiny"
    package let summary = "depthwise separable convolutions, 16 to 128 channels (after Howard 2017)"

    package init() {}

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        let stem = try network.width("conv1", 16)
        var feature = try network.normalizedConvolution(
            "conv1", norm: "bn1", input, channels: stem, kernel: 3)
        feature = network.activation("conv1.activation", feature)
        let blocks = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]
        for (index, (standard, stride)) in blocks.enumerated() {
            let block = "block\(index + 1)"
            feature = try network.normalizedConvolution(
                "\(block).depthwise", norm: "\(block).bn1", feature, channels: feature.channels, kernel: 3,
                stride: stride, groups: feature.channels)
            feature = network.activation("\(block).depthwise.activation", feature)
            let channels = try network.width("\(block).pointwise", standard)
            feature = try network.normalizedConvolution(
                "\(block).pointwise", norm: "\(block).bn2", feature, channels: channels, kernel: 1)
            feature = network.activation("\(block).pointwise.activation", feature)
        }
        return network.logits("fc", network.globalAveragePooling("pool", feature))
    }
}
