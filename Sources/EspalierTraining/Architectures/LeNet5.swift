/// LeNet-5 as Caffe has it: 5x5 convolutions of 20 and 50 channels without padding, each followed by 2x2 max pooling, and
/// 500 hidden units (after LeCun 1998).
///
/// Caffe applies its ReLU after the hidden layer only; here, as in the pruning literature since, every hidden layer has
/// one. On max pooling's far side it would do the same; it stands before it, as usual.
package struct LeNet5: Architecture {
    package let name = "lenet-5"
    package let summary = "two 5x5 convolutions (20, 50) and 500 hidden units (after LeCun 1998)"

    package init() {}

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        var feature = input
        for (index, standard) in [20, 50].enumerated() {
            let layer = "conv\(index + 1)"
            let channels = try network.width(layer, standard)
            feature = try network.convolution(layer, feature, channels: channels, kernel: 5)
            feature = network.activation("\(layer).activation", feature)
            feature = try network.maxPooling("pool\(index + 1)", feature)
        }
        feature = network.flatten("flatten", feature)
        feature = network.linear("fc1", feature, width: try network.width("fc1", 500))
        feature = network.activation("fc1.activation", feature)
        return network.logits("fc2", feature)
    }
}
