import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import Testing

struct FollowedNormsTests {
    /// The layers' norms in double precision, after so many steps of bidiagonalisation that they are exact.
    private static func norms(_ graph: Graph) throws -> [Double] {
        try ResolvedGraph(graph).linearLayers().map { layer in
            try LargestSingularValue(
                layer.map, sums: AbsoluteSums(layer.map), seed: 1, mostSteps: 400, tolerance: 1e-13
            ).lower
        }
    }

    private static func penalty(_ graph: Graph) throws -> Double {
        try norms(graph).reduce(0) { $0 + $1 * $1 / 2 }
    }

    private static func followed(_ graph: Graph, seed: UInt64 = 1) throws -> (FollowedNorms, ParameterStore) {
        let shapes = [graph.inputs[0]: Shape([2, 4, 6, 5])]
        let store = ParameterStore(try ResolvedGraph(graph, inputShapes: shapes))
        return (
            try FollowedNorms(graph, inputShapes: shapes, parameters: store, threads: 1, seed: seed), store
        )
    }

    /// Of a grouped, strided, padded convolution with batch norm, a dilated one, and products with a factor.
    @Test(arguments: [UInt64(1), 2, 3]) func gradientsAreThoseOfTheExactNorms(seed: UInt64) throws {
        try Lane(threads: 1).run { try Self.checkGradients(seed: seed) }
    }

    private static func checkGradients(seed: UInt64) throws {
        let graph = try RobustFixtures.network(seed: seed)
        let (norms, store) = try followed(graph)
        #expect(norms.names == ["conv1 + norm1", "conv2", "fc1", "fc2"])
        for _ in 0..<2000 { try norms.update(store) }
        for (found, exact) in zip(norms.norms, try Self.norms(graph)) {
            #expect(abs(found - exact) < 1e-5 * exact, "\(found) for \(exact)")
        }
        store.gradients.update(repeating: 0)
        norms.addGradients(times: 0.5, to: store)
        var random = RandomSource(seed: seed).split("elements")
        for entry in store.trainable {
            let gradient = store.gradient(of: entry).scalars(as: Float.self)
            // Biases shift outputs and stretch nothing: their gradients are zero, not nearly so.
            if entry.name.hasSuffix("bias") {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(entry.name)")
                continue
            }
            let largest = gradient.reduce(0) { max($0, abs($1)) }
            #expect(largest > 0, "\(entry.name)")
            let values = store.tensor(of: entry).scalars(as: Float.self)
            for _ in 0..<6 {
                let element = Int(random.next() % UInt64(values.count))
                func moved(_ step: Float) throws -> (value: Float, penalty: Double) {
                    var values = values
                    values[element] += step
                    return (values[element], try penalty(graph.replacing(entry.name, with: values)))
                }
                let (below, above) = (try moved(-2e-3), try moved(2e-3))
                let slope = 0.5 * (above.penalty - below.penalty) / Double(above.value - below.value)
                #expect(
                    abs(slope - Double(gradient[element])) < 2e-3 * Double(largest),
                    "\(entry.name)[\(element)]: \(gradient[element]) for \(slope), seed \(seed)")
            }
        }
    }

    /// Vectors stay right when a weight grows, and are found again after a time without any weight.
    @Test func weightsAreFollowed() throws {
        try Lane(threads: 1).run { try Self.checkFollowing() }
    }

    private static func checkFollowing() throws {
        let graph = try RobustFixtures.network(seed: 4)
        let (norms, store) = try followed(graph)
        for _ in 0..<2000 { try norms.update(store) }
        let before = norms.norms
        let entry = try #require(store.trainable.first { $0.name == "fc1.weight" })
        let values = store.tensor(of: entry).scalars(as: Float.self)
        func set(_ factor: Float) {
            store.set(entry, to: Tensor(shape: entry.shape, scalars: values.map { factor * $0 }))
        }
        set(3)
        try norms.update(store)
        #expect(abs(norms.norms[2] - 3 * before[2]) < 1e-4 * before[2])
        #expect(norms.norms[3] == before[3])
        set(0)
        try norms.update(store)
        #expect(norms.norms[2] == 0)
        store.gradients.update(repeating: 0)
        norms.addGradients(times: 1, to: store)
        #expect(store.gradient(of: entry).scalars(as: Float.self).allSatisfy { $0 == 0 })
        set(1)
        for _ in 0..<2000 { try norms.update(store) }
        #expect(abs(norms.norms[2] - before[2]) < 1e-5 * before[2])
    }
}
