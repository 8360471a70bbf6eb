import EspalierGraphs
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Testing

struct ArchitectureNormTests {
    /// An architecture whose batch norms are not the identity.
    static func network(_ name: String, seed: UInt64) throws -> ResolvedGraph {
        let architecture = try #require(Architectures.named(name))
        let options = ArchitectureOptions(channels: 1, height: 28, width: 28, classCount: 10, seed: seed)
        let graph = try architecture.graph(options)
        var patch = Patch(for: graph)
        var random = RandomSource(seed: seed).split("normalisation")
        for id in graph.parameters {
            guard let tensor = graph.constants[id], tensor.shape.rank == 1 else { continue }
            let elements = (0..<tensor.count).map { _ in random.uniform(in: 0.5...1.5) }
            patch.append(.setConstant(id, Tensor(shape: tensor.shape, scalars: elements)))
        }
        return try ResolvedGraph(try graph.applying(patch))
    }

    /// Certificates are within 1 % of what is found from below, on every layer, and cheap bounds are not below that.
    ///
    /// So they are for conv-4 and conv-6, whose wide layers are of the same kinds, in half a minute more.
    @Test(arguments: Architectures.all.map(\.name).filter { $0 != "conv-4" && $0 != "conv-6" })
    func gapsOfReferenceArchitectures(name: String) throws {
        let resolved = try Self.network(name, seed: 1)
        let layers = try resolved.linearLayers()
        let norms = try layers.map { try OperatorNorm($0.map) }
        for (layer, norm) in zip(layers, norms) {
            #expect(norm.lower > 0 && norm.gap < 0.01, "\(layer.name): \(norm)")
            #expect(norm.cheapUpper >= norm.upper, "\(layer.name): \(norm)")
            // What half a bound would say is refuted by what was found from below.
            #expect(norm.upper / 2 < norm.lower)
            let cheap = try OperatorNorm(layer.map, effort: .cheap)
            #expect(cheap.upper == norm.cheapUpper && cheap.maximum == norm.maximum)
        }
        for norm in VectorNorm.allCases {
            let bound = try LipschitzBound(resolved, layers: layers, norms: norms, norm: norm)
            let output = try #require(bound.outputs.first)
            #expect(output.isFinite && output > 0)
        }
    }

    /// All weights are in some layer, and a normalisation is one with its convolution.
    @Test func normalisationsAreFolded() throws {
        let resolved = try Self.network("resnet-20", seed: 2)
        let layers = try resolved.linearLayers()
        // 19 convolutions, two projections, the mean and the product.
        #expect(layers.count == 23)
        #expect(layers.count { $0.nodes.count == 2 } == 21)
        #expect(layers.first?.name == "conv1 + bn1")
    }
}
