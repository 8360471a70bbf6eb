package import EspalierGraphs
import EspalierTensors

/// A family of networks that can be trained from scratch.
///
/// A new one is one file with one conforming struct, plus one line in ``Architectures``. It describes its layers to a
/// ``NetworkBuilder``, which knows shapes, initialisation and names.
package protocol Architecture: Sendable {
    /// The name by which it is chosen.
    var name: String { get }
    /// One line for lists.
    var summary: String { get }

    /// Adds the layers.
    ///
    /// - Parameter input: the images.
    /// - Returns: the logits, made by ``NetworkBuilder/logits(_:_:)``.
    /// - Throws: ``TrainingError/architecture(_:)`` if the input is too small for it.
    func build(_ network: inout NetworkBuilder, input: Feature) throws(TrainingError) -> Feature
}

/// All architectures, one line each.
package enum Architectures {
    package static let all: [any Architecture] = [
        TinyCNN(),
        LeNet300100(),
        LeNet5(),
        FrankleConvNet(blockCount: 1),
        FrankleConvNet(blockCount: 2),
        FrankleConvNet(blockCount: 3),
        ResNet(blocksPerStage: 1),
        ResNet(blocksPerStage: 3),
        MobileNetTiny(),
    ]

    /// The architecture called `name`, or nil.
    package static func named(_ name: String) -> (any Architecture)? {
        all.first { $0.name == name }
    }
}

extension Architecture {
    /// The network, freshly initialised: input "x" of N images, output "logits" of N rows, N symbolic.
    ///
    /// - Throws: ``TrainingError/architecture(_:)`` if the input is too small or the options name a layer that is not
    ///   there.
    package func graph(_ options: ArchitectureOptions) throws(TrainingError) -> Graph {
        var network = try NetworkBuilder(name: name, options: options)
        let input = network.images()
        let output = try build(&network, input: input)
        return try network.finish(output: output)
    }

    /// The widths that `graph`, a pruned network of this architecture, has left: with them in the options,
    /// ``graph(_:)`` gives the same slim network freshly initialised.
    ///
    /// - Throws: ``TrainingError/architecture(_:)`` if `graph` is a network of another architecture, by what it says itself or by
    ///   its layers.
    package func widths(
        of graph: Graph, options: ArchitectureOptions
    ) throws(TrainingError) -> [String: Int] {
        if let other = graph.metadata[NetworkBuilder.architectureKey], other != name {
            throw .architecture("the network is a \(other), and not a pruned \(name)")
        }
        var network = try NetworkBuilder(name: name, options: options)
        let input = network.images()
        let output = try build(&network, input: input)
        let layers = network.layerWidths.keys.sorted()
        try checkWeights(of: graph, against: try network.finish(output: output))
        var widths: [String: Int] = [:]
        for layer in layers {
            guard let weight = graph.value(named: "\(layer).weight"),
                let shape = graph.constants[weight.id]?.shape, shape.rank > 0
            else {
                throw .architecture("the network has no '\(layer).weight': it is not a pruned \(name)")
            }
            widths[layer] = shape[0]
        }
        return widths
    }

    /// Pruning changes widths, but neither which layers there are nor what kind they are of.
    private func checkWeights(of graph: Graph, against own: Graph) throws(TrainingError) {
        let (found, wanted) = (Self.weightRanks(of: graph), Self.weightRanks(of: own))
        for weight in Set(found.keys).union(wanted.keys).sorted() where found[weight] != wanted[weight] {
            let problem: String =
                if let rank = found[weight] {
                    wanted[weight].map { "'\(weight)' of \(rank) axes where there are \($0)" }
                        ?? "'\(weight)', which a \(name) has not"
                } else {
                    "no '\(weight)'"
                }
            throw .architecture("the network has \(problem): it is not a pruned \(name)")
        }
    }

    /// The number of axes of every layer's weight, by name.
    private static func weightRanks(of graph: Graph) -> [String: Int] {
        var ranks: [String: Int] = [:]
        for (id, tensor) in graph.constants where tensor.shape.rank > 1 {
            let name = graph.name(of: id)
            if name.hasSuffix(".weight") { ranks[name] = tensor.shape.rank }
        }
        return ranks
    }
}
