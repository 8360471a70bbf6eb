/// Residual networks for small images (He 2016): a 3x3 stem of 16 channels, three stages of basic blocks of 16, 32 and
/// 64 channels, the later two beginning with stride 2, and global average pooling.
///
/// A block whose input and output differ in shape has a 1x1 projection with batch norm as its shortcut. With one block per
/// stage this is resnet-8, with three resnet-20.
package struct ResNet: Architecture {
    private let blocksPerStage: Int

    package init(blocksPerStage: Int) {
        self.blocksPerStage = blocksPerStage
    }

    package var name: String { "resnet-\(6 * blocksPerStage + 2)" }
    package var summary: String {
        "residual, three stages of \(blocksPerStage) basic block(s), 16 to 64 channels (He 2016)"
    }

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        let stem = try network.width("conv1", 16)
        var feature = try network.normalizedConvolution(
            "conv1", norm: "bn1", input, channels: stem, kernel: 3)
        feature = network.activation("conv1.activation", feature)
        for stage in 1...3 {
            // All blocks of a stage add to the same channels: the first block's second convolution names their width.
            let standard = 8 << stage
            let trunk = try network.width("layer\(stage).0.conv2", standard)
            for block in 0..<blocksPerStage {
                feature = try basicBlock(
                    &network, "layer\(stage).\(block)", feature, inner: standard, channels: trunk,
                    stride: block == 0 && stage > 1 ? 2 : 1)
            }
        }
        return network.logits("fc", network.globalAveragePooling("pool", feature))
    }

    private func basicBlock(
        _ network: inout NetworkBuilder, _ block: String, _ input: Feature, inner standard: Int,
        channels: Int, stride: Int
    ) throws(TrainingError) -> Feature {
        let inner = try network.width("\(block).conv1", standard)
        var feature = try network.normalizedConvolution(
            "\(block).conv1", norm: "\(block).bn1", input, channels: inner, kernel: 3,
            stride: stride)
        feature = network.activation("\(block).conv1.activation", feature)
        feature = try network.normalizedConvolution(
            "\(block).conv2", norm: "\(block).bn2", feature, channels: channels, kernel: 3)
        var shortcut = input
        if input.extents != feature.extents {
            shortcut = try network.normalizedConvolution(
                "\(block).downsample.0", norm: "\(block).downsample.1", input, channels: channels,
                kernel: 1, stride: stride)
        }
        let sum = network.sum("\(block).add", feature, shortcut)
        return network.activation("\(block).activation", sum)
    }
}
