/// Conv-2, Conv-4 and Conv-6 of the lottery ticket paper (Frankle & Carbin 2019): blocks of two 3x3 convolutions and a
/// 2x2 max pooling, 64, 128 and 256 channels wide, and two hidden layers of 256 units.
package struct FrankleConvNet: Architecture {
    private let blockCount: Int

    package init(blockCount: Int) {
        self.blockCount = blockCount
    }

    package var name: String { "conv-\(2 * blockCount)" }
    package var summary: String {
        "\(2 * blockCount) 3x3 convolutions from 64 channels up, two hidden layers (Frankle & Carbin 2019)"
    }

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        var feature = input
        for block in 0..<blockCount {
            for half in 1...2 {
                let layer = "conv\(2 * block + half)"
                let channels = try network.width(layer, 64 << block)
                feature = try network.convolution(layer, feature, channels: channels, kernel: 3, padding: 1)
                feature = network.activation("\(layer).activation", feature)
            }
            feature = try network.maxPooling("pool\(block + 1)", feature)
        }
        feature = network.flatten("flatten", feature)
        for layer in ["fc1", "fc2"] {
            feature = network.linear(layer, feature, width: try network.width(layer, 256))
            feature = network.activation("\(layer).activation", feature)
        }
        return network.logits("fc3", feature)
    }
}
