/// Two hidden fully connected layers of 300 and 100 units (LeCun 1998).
package struct LeNet300100: Architecture {
    package let name = "lenet-300-100"
    package let summary = "fully connected, 300 and 100 hidden units (LeCun 1998)"

    package init() {}

    package func build(
        _ network: inout NetworkBuilder, input: Feature
    ) throws(TrainingError) -> Feature {
        var feature = network.flatten("flatten", input)
        for (layer, standard) in [("fc1", 300), ("fc2", 100)] {
            feature = network.linear(layer, feature, width: try network.width(layer, standard))
            feature = network.activation("\(layer).activation", feature)
        }
        return network.logits("fc3", feature)
    }
}
