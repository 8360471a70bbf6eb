/// Two 3x3 convolutions of 32 and 64 channels, one 2x2 max pooling and 128 hidden units: for images as small as 8x8, where
/// LeNet-5 does not fit.
package struct TinyCNN: Architecture {
    package let name = "tiny-cnn"
    package let summary = "two 3x3 convolutions (32, 64) and 128 hidden units, for images as small as 8x8"

    package init() {}

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        var feature = input
        for (layer, standard) in [("conv1", 32), ("conv2", 64)] {
            let channels = try network.width(layer, standard)
            feature = try network.convolution(layer, feature, channels: channels, kernel: 3, padding: 1)
            feature = network.activation("\(layer).activation", feature)
        }
        feature = try network.maxPooling("pool", feature)
        feature = network.flatten("flatten", feature)
        feature = network.linear("fc1", feature, width: try network.width("fc1", 128))
        feature = network.activation("fc1.activation", feature)
        return network.logits("fc2", feature)
    }
}
