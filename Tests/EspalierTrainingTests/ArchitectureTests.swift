import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Testing

struct ArchitectureTests {
    static let fashion = ArchitectureOptions(channels: 1, height: 28, width: 28, classCount: 10)

    private static func parameterCount(_ graph: Graph) -> Int {
        graph.constants.values.reduce(0) { $0 + $1.count }
    }

    private static func weights(_ graph: Graph, _ name: String) throws -> [Float] {
        let id = try #require(graph.value(named: name)?.id)
        return try #require(graph.constants[id]).scalars(as: Float.self)
    }

    /// Counted by hand from the papers' layers, batch norm with four numbers per channel.
    @Test(arguments: [
        ("tiny-cnn", 320 + 18_496 + 64 * 14 * 14 * 128 + 128 + 1_290),
        ("lenet-300-100", 784 * 300 + 300 + 300 * 100 + 100 + 1_010),
        ("lenet-5", 431_080),
        ("conv-2", 640 + 36_928 + 64 * 196 * 256 + 256 + 65_792 + 2_570),
        ("conv-4", 640 + 36_928 + 73_856 + 147_584 + 128 * 49 * 256 + 256 + 65_792 + 2_570),
        ("conv-6", 640 + 36_928 + 73_856 + 147_584 + 295_168 + 590_080 + 2304 * 256 + 256 + 65_792 + 2_570),
        (
            "resnet-8",
            144 + 2 * 2304 + 4608 + 9216 + 512 + 18_432 + 36_864 + 2048 + 4 * (3 * 16 + 3 * 32 + 3 * 64) + 650
        ),
    ])
    func parameterCountsAreThePapers(name: String, count: Int) throws {
        let architecture = try #require(Architectures.named(name))
        #expect(Self.parameterCount(try architecture.graph(Self.fashion)) == count)
    }

    @Test(arguments: Architectures.all.map(\.name), Activation.allCases)
    func allAreWellFormed(name: String, activation: Activation) throws {
        let architecture = try #require(Architectures.named(name))
        var options = Self.fashion
        options.activation = activation
        let graph = try architecture.graph(options)
        #expect(graph.inputs.map(graph.name(of:)) == ["x"])
        #expect(graph.outputs.map(graph.name(of:)) == ["logits"])
        #expect(graph.values[graph.inputs[0]]?.type?.dimensions?.first == .symbolic("N"))
        #expect(graph.metadata["espalier.architecture"] == name)
        #expect(Set(graph.nodes.map(\.name)).count == graph.nodes.count, "every node has its own name")
        #expect(!architecture.summary.isEmpty)
    }

    @Test func theSeedDecidesAndOneLayersSizeChangesNoOther() throws {
        var options = Self.fashion
        options.seed = 5
        let first = try LeNet5().graph(options)
        let again = try LeNet5().graph(options)
        #expect(try Self.weights(first, "fc1.weight") == Self.weights(again, "fc1.weight"))
        options.seed = 6
        #expect(try Self.weights(first, "fc1.weight") != Self.weights(LeNet5().graph(options), "fc1.weight"))
        options.seed = 5
        options.widths = ["fc1": 77]
        let slim = try LeNet5().graph(options)
        #expect(try Self.weights(first, "conv2.weight") == Self.weights(slim, "conv2.weight"))
        #expect(try Self.weights(slim, "fc1.weight").count == 77 * 800)
    }

    @Test func weightsHaveTheVarianceOfHeAndBiasesAreZero() throws {
        let graph = try LeNet5().graph(Self.fashion)
        let weights = try Self.weights(graph, "fc1.weight").map(Double.init)
        let variance = weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)
        // 400,000 draws: the estimate's relative deviation is 0.22 %.
        #expect(abs(variance * 800 / 2 - 1) < 0.01)
        #expect(try Self.weights(graph, "fc1.bias").allSatisfy { $0 == 0 })
        var options = Self.fashion
        options.initialization = .glorot
        let glorot = try Self.weights(try LeNet5().graph(options), "fc1.weight").map(Double.init)
        let glorotVariance = glorot.reduce(0) { $0 + $1 * $1 } / Double(glorot.count)
        #expect(abs(glorotVariance * 1300 / 2 - 1) < 0.01)
    }

    @Test func widthsScaleAndSinglesOverride() throws {
        var options = Self.fashion
        options.widthMultiplier = 0.5
        options.widths = ["layer2.0.conv1": 7]
        let graph = try ResNet(blocksPerStage: 1).graph(options)
        let shapes = Dictionary(
            uniqueKeysWithValues: graph.constants.map { (graph.name(of: $0.key), $0.value.shape) })
        #expect(shapes["conv1.weight"] == [8, 1, 3, 3])
        #expect(shapes["layer2.0.conv1.weight"] == [7, 8, 3, 3])
        #expect(shapes["layer2.0.conv2.weight"] == [16, 7, 3, 3])
        #expect(shapes["layer2.0.downsample.0.weight"] == [16, 8, 1, 1])
        #expect(shapes["fc.weight"] == [10, 32])
    }

    @Test(arguments: Architectures.all.map(\.name))
    func widthsOfASlimNetworkRebuildIt(name: String) throws {
        let architecture = try #require(Architectures.named(name))
        var options = Self.fashion
        options.widthMultiplier = 0.4
        let slim = try architecture.graph(options)
        options.widthMultiplier = 1
        options.widths = try architecture.widths(of: slim, options: options)
        let rebuilt = try architecture.graph(options)
        #expect(Self.parameterCount(rebuilt) == Self.parameterCount(slim))
        #expect(Self.parameterCount(slim) < Self.parameterCount(try architecture.graph(Self.fashion)))
    }

    @Test func whatDoesNotFitIsExplained() throws {
        var options = Self.fashion
        options.height = 8
        options.width = 8
        let error = #expect(throws: TrainingError.self) { try LeNet5().graph(options) }
        #expect(error?.description.contains("conv2") == true)
        #expect(throws: Never.self) { try TinyCNN().graph(options) }
        options = Self.fashion
        options.widths = ["conv9": 4]
        #expect(throws: TrainingError.self) { try LeNet5().graph(options) }
        options.widths = ["conv1": 0]
        #expect(throws: TrainingError.self) { try LeNet5().graph(options) }
        options = Self.fashion
        options.classCount = 0
        #expect(throws: TrainingError.self) { try LeNet5().graph(options) }
        #expect(throws: TrainingError.self) {
            try ResNet(blocksPerStage: 1).widths(of: try TinyCNN().graph(Self.fashion), options: Self.fashion)
        }
    }
}
