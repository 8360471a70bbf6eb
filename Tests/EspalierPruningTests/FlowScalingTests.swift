import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import Testing

/// Synaptic flow that is far outside of single precision's range.
struct FlowScalingTests {
    private func shares(_ graph: Graph) throws -> [ValueID: Tensor] {
        try EvidenceCollector.collectWithoutData(
            [.synapticFlow], from: graph, lane: Lane(threads: 1))[.synapticFlow]
    }

    /// x + second relu(first x), many times over.
    private struct ResidualNetwork {
        static let width = 16
        static let blocks = 40
        let graph: Graph
        /// Of the weights, by their names.
        let sizes: [String: [Double]]

        /// - Parameter dead: weights that are zero.
        init(dead: Set<String>) throws {
            let width = Self.width
            var network = Network("residual", seed: 21, dtype: .float32)
            var sizes: [String: [Double]] = [:]
            func layer(_ name: String, _ input: ValueID) -> ValueID {
                let scalars = (0..<width * width).map { _ in
                    dead.contains(name) ? Float(0) : Float(0.3 + 0.25 * network.random.normal())
                }
                sizes[name] = scalars.map { Double($0.magnitude) }
                let weight = network.builder.constant(name, Tensor(shape: [width, width], scalars: scalars))
                return network.builder.node(
                    "Gemm", inputs: [input, weight], attributes: ["transB": .int(1)])
            }
            var trunk = network.input("x", [.symbolic("N"), .fixed(width)])
            for block in 0..<Self.blocks {
                let hidden = network.relu(layer("first\(block)", trunk))
                let branch = layer("second\(block)", hidden)
                trunk = network.add(trunk, branch)
            }
            graph = try network.finish(trunk)
            self.sizes = sizes
        }

        private func product(_ name: String, _ vector: [Double], transposed: Bool = false) -> [Double] {
            let (width, matrix) = (Self.width, sizes[name] ?? [])
            return (0..<width).map { row in
                (0..<width).reduce(0) { sum, column in
                    sum + matrix[transposed ? column * width + row : row * width + column] * vector[column]
                }
            }
        }

        /// The shares of all weights, in double precision.
        func expectedShares() -> [String: [Double]] {
            var inputs: [String: [Double]] = [:]
            var trunk = [Double](repeating: 1, count: Self.width)
            for block in 0..<Self.blocks {
                let hidden = product("first\(block)", trunk)
                inputs["first\(block)"] = trunk
                inputs["second\(block)"] = hidden
                trunk = zip(trunk, product("second\(block)", hidden)).map { $0 + $1 }
            }
            let flow = trunk.reduce(0, +)
            var result: [String: [Double]] = [:]
            func add(_ name: String, _ gradient: [Double]) {
                let (size, input) = (sizes[name] ?? [], inputs[name] ?? [])
                result[name] = size.indices.map { index in
                    size[index] * input[index % Self.width] * (gradient[index / Self.width] / flow)
                }
            }
            var gradient = [Double](repeating: 1, count: Self.width)
            for block in (0..<Self.blocks).reversed() {
                let hidden = product("second\(block)", gradient, transposed: true)
                add("second\(block)", gradient)
                add("first\(block)", hidden)
                gradient = zip(gradient, product("first\(block)", hidden, transposed: true)).map { $0 + $1 }
            }
            return result
        }
    }

    /// The flow grows to about 2^195 on its way. Branches that end do not end what flows past them.
    @Test(arguments: [[], ["first39"], ["second0", "first20"]] as [Set<String>])
    func residualNetworksOfAnyDepth(dead: Set<String>) throws {
        let network = try ResidualNetwork(dead: dead)
        let shares = try shares(network.graph)
        for (name, expected) in network.expectedShares() {
            let weight = try #require(network.graph.value(named: name)).id
            let actual = try #require(shares[weight]).scalars(as: Double.self)
            let largest = expected.max() ?? 0
            let isCut = dead.contains(name) || dead.contains(Self.partner(of: name))
            #expect((largest == 0) == isCut)
            #expect(
                zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-4 * largest },
                "\(name): \(actual.max() ?? 0), expected \(largest)")
        }
    }

    /// The other weight of a branch, through which all goes that goes through the one.
    private static func partner(of name: String) -> String {
        name.hasPrefix("first") ? "second\(name.dropFirst(5))" : "first\(name.dropFirst(6))"
    }

    /// Where an inner layer is all zero nothing flows, however much there was before it.
    @Test func aDeadLayerEndsAllFlow() throws {
        var network = Network("dead", seed: 9, dtype: .float32)
        var value = network.input("x", [.symbolic("N"), .fixed(8)])
        for layer in 0..<40 {
            let weight =
                layer == 30
                ? network.builder.constant("dead", Tensor(zeros: [8, 8]))
                : network.weight("w\(layer)", [8, 8], around: 1000)
            value = network.builder.node("MatMul", inputs: [value, weight])
        }
        let shares = try shares(try network.finish(value))
        #expect(shares.count == 40)
        #expect(shares.values.allSatisfy { $0.nonzeroCount == 0 })
    }

    /// Beside a path of 2^578 another is nothing; but here the large one ends, and the small one is all there is.
    @Test func aSmallPathIsKeptBesideALargeOne() throws {
        var network = Network("two paths", seed: 8, dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(8)])
        var value = x
        for layer in 0..<60 {
            let weight = network.weight("w\(layer)", [8, 8], around: 100)
            value = network.builder.node("MatMul", inputs: [value, weight])
        }
        let joined = network.concatenation([x, value])
        let scalars = (0..<48).map { $0 % 16 < 8 ? Float($0 % 5 + 1) : 0 }
        let last = network.builder.constant("last", Tensor(shape: [3, 16], scalars: scalars))
        let output = network.builder.node(
            "Gemm", inputs: [joined, last], attributes: ["transB": .int(1)])
        let shares = try shares(try network.finish(output))
        let total = scalars.reduce(0, +)
        let actual = try #require(shares[last]).scalars(as: Float.self)
        #expect(zip(actual, scalars).allSatisfy { abs($0 - $1 / total) < 1e-6 })
        #expect(shares.filter { $0.key != last }.values.allSatisfy { $0.nonzeroCount == 0 })
    }

    /// R is the sum of all outputs: with the second 2^20 times the first, all but a millionth goes to the second.
    @Test func outputsAreAddedAsTheyAre() throws {
        var builder = GraphBuilder(name: "two outputs")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
        let first = builder.constant("first", Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float]))
        let large = Float(1 << 20)
        let second = builder.constant("second", Tensor(shape: [2, 1], scalars: [large, large]))
        let near = builder.node("MatMul", inputs: [x, first])
        let far = builder.node("MatMul", inputs: [near, second])
        let shares = try shares(try builder.finish(outputs: [near, far]))
        let ofFirst = try #require(shares[first]).scalars(as: Float.self)
        #expect(zip(ofFirst, [1, 2, 3, 4] as [Float]).allSatisfy { abs($0 - $1 / 10) < 1e-6 })
        let ofSecond = try #require(shares[second]).scalars(as: Float.self)
        #expect(abs(ofSecond.reduce(0, +) - large / (large + 1)) < 1e-7 * 3)
    }
}
