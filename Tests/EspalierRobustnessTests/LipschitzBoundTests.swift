import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierRobustness
import EspalierTensors
import TestSupport
import Testing

struct LipschitzBoundTests {
    private struct Measured {
        let graph: Graph
        let resolved: ResolvedGraph
        let layers: [LinearLayer]
        let norms: [OperatorNorm]

        init(_ graph: Graph) throws {
            self.graph = graph
            resolved = try ResolvedGraph(graph)
            layers = try resolved.linearLayers()
            norms = try layers.map { try OperatorNorm($0.map) }
        }

        func bound(_ norm: VectorNorm) throws -> Double {
            try #require(try LipschitzBound(resolved, layers: layers, norms: norms, norm: norm).outputs.first)
        }

        /// The bound if layer `index` claimed half its norm.
        func bound(halving index: Int, _ norm: VectorNorm) throws -> Double {
            var constants = norms.map { $0[norm] }
            constants[index] /= 2
            return try #require(
                try LipschitzBound(resolved, layers: layers, constants: constants, norm: norm).outputs.first)
        }

        func output(_ x: [Double]) throws -> [Double] {
            let input = try #require(graph.inputs.first)
            let shape = try #require(resolved.facts[input]?.shape)
            let values = try ReferenceRunner.values(
                of: graph, inputs: [input: Tensor(shape: shape, scalars: x)], inDouble: true)
            return try #require(values[graph.outputs[0]]).scalars(as: Double.self)
        }

        /// The largest ratio of a movement of the output to that of the input, over random pairs near and far.
        func largestQuotient(_ norm: VectorNorm, pairs: Int, seed: UInt64) throws -> Double {
            var random = RandomSource(seed: seed)
            let input = try #require(graph.inputs.first)
            let count = try #require(resolved.facts[input]?.shape).count
            var largest = 0.0
            for pair in 0..<pairs {
                let x = (0..<count).map { _ in random.normal() }
                let size = [1e-4, 0.1, 3][pair % 3]
                let step = (0..<count).map { _ in
                    norm == .euclidean ? size * random.normal() : random.uniform() < 0.5 ? -size : size
                }
                let (from, to) = (try output(x), try output(zip(x, step).map { $0 + $1 }))
                let moved = norm.joined(zip(from, to).map { abs($0 - $1) })
                // Differences of numbers near each other lose some of their digits.
                largest = max(largest, moved / norm.joined(step.map(abs)) * (1 - 1e-9))
            }
            return largest
        }
    }

    private static func float(_ shape: Shape) -> ValueType { ValueType(dtype: .float32, shape: shape) }

    /// x, 2x and 3x, joined by one node.
    private func branches(_ type: String, attributes: [String: Attribute] = [:]) throws -> Measured {
        var builder = GraphBuilder(name: "branches")
        let x = builder.input("x", type: Self.float([1, 4]))
        let two = builder.node("Mul", inputs: [x, builder.constant("two", Tensor(2 as Float))])
        let three = builder.node("Mul", inputs: [x, builder.constant("three", Tensor(3 as Float))])
        let y = builder.node(type, name: "join", inputs: [two, three], attributes: attributes)
        return try Measured(try builder.finish(outputs: [y]))
    }

    @Test func branchesCombine() throws {
        let root = 13.0.squareRoot()
        for (type, attributes, euclidean, maximum) in [
            ("Add", [:], 5.0, 5.0), ("Sub", [:], 5, 5), ("Sum", [:], 5, 5), ("Mean", [:], 2.5, 2.5),
            ("Concat", ["axis": .int(1)], root, 3), ("Max", [:], root, 3), ("Min", [:], root, 3),
        ] as [(String, [String: Attribute], Double, Double)] {
            let network = try branches(type, attributes: attributes)
            #expect(abs(try network.bound(.euclidean) - euclidean) < 1e-12, "\(type)")
            #expect(abs(try network.bound(.maximum) - maximum) < 1e-12, "\(type)")
            for norm in VectorNorm.allCases {
                #expect(try network.largestQuotient(norm, pairs: 60, seed: 1) <= network.bound(norm))
            }
        }
    }

    private func chain(
        _ type: String, opset: Int = 19, input: Shape, attributes: [String: Attribute] = [:],
        constants: [Tensor?] = []
    ) throws -> Measured {
        var builder = GraphBuilder(name: "chain", opset: opset)
        let x = builder.input("x", type: Self.float(input))
        let others = constants.enumerated().map { index, tensor in
            tensor.map { builder.constant("c\(index)", $0) }
        }
        let y = builder.node(type, name: "node", inputs: [x] + others, attributes: attributes)
        return try Measured(try builder.finish(outputs: [y]))
    }

    @Test func movementsAndPools() throws {
        func check(_ network: Measured, _ euclidean: Double, _ maximum: Double, line: String) throws {
            #expect(abs(try network.bound(.euclidean) - euclidean) < 1e-12, "\(line)")
            #expect(abs(try network.bound(.maximum) - maximum) < 1e-12, "\(line)")
            for norm in VectorNorm.allCases {
                #expect(
                    try network.largestQuotient(norm, pairs: 30, seed: 2) <= network.bound(norm), "\(line)")
            }
        }
        func ints(_ values: [Int64]) -> Tensor { Tensor(shape: [values.count], scalars: values) }
        let pool: [String: Attribute] = ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2])]
        try check(try chain("MaxPool", input: [1, 2, 7, 7], attributes: pool), 2, 1, line: "3x3 by 2")
        try check(
            try chain(
                "MaxPool", input: [1, 2, 6, 6],
                attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]),
            1, 1, line: "2x2 by 2")
        try check(
            try chain("MaxPool", input: [1, 1, 5, 5], attributes: ["kernel_shape": .ints([3, 2])]),
            6.0.squareRoot(), 1, line: "3x2 by 1")
        try check(try chain("GlobalMaxPool", input: [1, 2, 3, 3]), 1, 1, line: "global")
        try check(try chain("Flatten", input: [1, 2, 3]), 1, 1, line: "Flatten")
        try check(
            try chain("Transpose", input: [1, 2, 3], attributes: ["perm": .ints([2, 0, 1])]), 1, 1,
            line: "Transpose")
        try check(
            try chain("Expand", input: [1, 2, 1], constants: [ints([4, 2, 3])]), 12.0.squareRoot(), 1,
            line: "Expand")
        try check(
            try chain("Tile", input: [1, 2], constants: [ints([3, 1])]), 3.0.squareRoot(), 1, line: "Tile")
        try check(
            try chain("Gather", input: [1, 4], attributes: ["axis": .int(1)], constants: [ints([2, 0, 2])]),
            2.0.squareRoot(), 1, line: "Gather")
        try check(
            try chain("Slice", input: [1, 4], constants: [ints([1]), ints([3]), ints([1])]), 1, 1,
            line: "Slice")
        try check(
            try chain("Pad", input: [1, 4], constants: [ints([0, 1, 0, 2]), Tensor(1 as Float)]), 1, 1,
            line: "Pad")
        try check(
            try chain(
                "Pad", input: [1, 4], attributes: ["mode": .text("edge")], constants: [ints([0, 1, 0, 2])]),
            3.0.squareRoot(), 1, line: "Pad of edges")
        try check(
            try chain("Reshape", input: [1, 4], constants: [ints([2, 2])]), 1, 1, line: "Reshape")
        try check(try chain("Squeeze", input: [1, 4], constants: [ints([0])]), 1, 1, line: "Squeeze")
        try check(try chain("Unsqueeze", input: [1, 4], constants: [ints([1])]), 1, 1, line: "Unsqueeze")
        try check(
            try chain("Split", input: [1, 4], attributes: ["axis": .int(1)], constants: [ints([4])]), 1, 1,
            line: "Split")
        for type in ["ReduceMax", "ReduceMin"] {
            try check(try chain(type, opset: 20, input: [1, 2, 3], constants: [ints([1])]), 1, 1, line: type)
        }
        try check(try chain("Dropout", input: [1, 4]), 1, 1, line: "Dropout")
        try check(try chain("Cast", input: [1, 4], attributes: ["to": .int(11)]), 1, 1, line: "Cast")
        try check(try chain("Softmax", input: [1, 5]), 0.5, 0.5, line: "Softmax")
        try check(try chain("LogSoftmax", input: [1, 5]), 5.0.squareRoot(), 2, line: "LogSoftmax")
        try check(
            try chain(
                "PRelu", input: [1, 3], constants: [Tensor(shape: [3], scalars: [0.1, -2, 0.5] as [Float])]),
            2, 2, line: "PRelu")
        try check(
            try chain("Add", input: [1, 1, 3], constants: [.random([2, 4, 3], seed: 4)]), 8.0.squareRoot(), 1,
            line: "Add that repeats")
    }

    /// Of every function that says how steep it is, the steepest place is no steeper, and as steep as said.
    @Test(
        arguments: [
            ("Relu", 17, [:]), ("Abs", 17, [:]), ("Tanh", 17, [:]), ("Neg", 17, [:]), ("Sin", 17, [:]),
            ("Cos", 17, [:]), ("Softplus", 17, [:]), ("Sigmoid", 17, [:]), ("LeakyRelu", 17, [:]),
            ("LeakyRelu", 17, ["alpha": .float(-1.7)]), ("Elu", 17, [:]), ("Elu", 17, ["alpha": .float(2.5)]),
            ("Selu", 17, [:]), ("Selu", 17, ["gamma": .float(-2), "alpha": .float(0.5)]),
            ("HardSigmoid", 17, [:]),
            ("HardSwish", 17, [:]), ("Erf", 17, [:]), ("Gelu", 20, [:]),
            ("Gelu", 20, ["approximate": .text("tanh")]), ("Identity", 17, [:]), ("Clip", 17, [:]),
        ] as [(String, Int, [String: Attribute])])
    func slopes(type: String, opset: Int, attributes: [String: Attribute]) throws {
        // Differences over 1e-4 are short of the largest slope by 1e-8 of it or so.
        let points = stride(from: -14.0, through: 14, by: 1e-4).map { $0 }
        let network = try chain(type, opset: opset, input: [points.count], attributes: attributes)
        let values = try network.output(points)
        let steepest = zip(values, values.dropFirst()).map { abs($1 - $0) / 1e-4 }.max() ?? 0
        for norm in VectorNorm.allCases {
            let bound = try network.bound(norm)
            #expect(steepest <= bound * (1 + 1e-9))
            #expect(steepest >= bound * (1 - 1e-4))
        }
    }

    @Test func unboundedNodesAreRefusedByName() throws {
        func refusal(_ graph: Graph) throws -> String {
            do {
                _ = try Measured(graph).bound(.euclidean)
                return "none"
            } catch let error as RobustnessError {
                return error.description
            }
        }
        var builder = GraphBuilder(name: "attention")
        let x = builder.input("x", type: Self.float([1, 3, 4]))
        let transposed = builder.node("Transpose", inputs: [x], attributes: ["perm": .ints([0, 2, 1])])
        let scores = builder.node("MatMul", name: "scores", inputs: [x, transposed])
        #expect(try refusal(try builder.finish(outputs: [scores])).contains("'scores' (MatMul)"))

        var normalised = GraphBuilder(name: "norm")
        let input = normalised.input("x", type: Self.float([1, 4]))
        let scale = normalised.constant("scale", Tensor(shape: [4], scalars: [1, 1, 1, 1] as [Float]))
        let output = normalised.node("LayerNormalization", name: "ln", inputs: [input, scale])
        let reason = try refusal(try normalised.finish(outputs: [output]))
        #expect(reason.contains("'ln' (LayerNormalization)") && reason.contains("layer normalisation"))

        for (type, named) in [("Exp", "Exp"), ("Sign", "Sign"), ("Unknown", "Unknown")] {
            var builder = GraphBuilder(name: type)
            let x = builder.input("x", type: Self.float([1, 4]))
            let y = builder.node(type, name: "it", inputs: [x])
            #expect(try refusal(try builder.finish(outputs: [y])).contains("'it' (\(named))"))
        }

        // Half of a whole number is rounded: 0 and 1 differ by 1 after 1 and 2 did.
        var whole = GraphBuilder(name: "whole")
        let count = whole.input("x", type: ValueType(dtype: .int64, shape: [2]))
        let two = whole.constant("two", Tensor(shape: [1], scalars: [2] as [Int64]))
        let half = whole.node("Div", name: "half", inputs: [count, two])
        #expect(try refusal(try whole.finish(outputs: [half])).contains("'half' (Div)"))

        var gated = GraphBuilder(name: "gate")
        let signal = gated.input("x", type: Self.float([1, 4]))
        let gate = gated.node("Sigmoid", inputs: [signal])
        let product = gated.node("Mul", name: "gate", inputs: [signal, gate])
        #expect(try refusal(try gated.finish(outputs: [product])).contains("'gate' (Mul)"))
    }

    @Test func weightsThatAreNoNumbersAreRefused() throws {
        for bad in [Float.nan, .infinity] {
            #expect(throws: RobustnessError.notFinite(node: "node")) {
                try chain("MatMul", input: [1, 2], constants: [Tensor(shape: [2, 1], scalars: [1, bad])])
            }
        }
    }

    /// An operator that says how it bounds must stand in a test of these suites: add it there, then here.
    @Test func everyBoundIsTested() {
        let tested: Set = [
            "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "Cos", "Div",
            "Dropout", "Elu", "Erf", "Expand", "Flatten", "Gather", "Gelu", "Gemm", "GlobalAveragePool",
            "GlobalMaxPool", "HardSigmoid", "HardSwish", "Identity", "LayerNormalization", "LeakyRelu",
            "LogSoftmax", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mul", "Neg", "PRelu", "Pad",
            "ReduceMax",
            "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape", "Selu", "Sigmoid", "Sin", "Slice",
            "Softmax", "Softplus", "Split", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze",
        ]
        let bounding = Catalog.operators.filter {
            $0 is any LipschitzBounding.Type || $0 is any AffineMapping.Type
        }
        #expect(Set(bounding.flatMap { $0.schemas.map(\.name.type) }) == tested)
    }

    /// What the outputs do not depend on may be anything.
    @Test func deadEndsDoNotMatter() throws {
        var builder = GraphBuilder(name: "dead end")
        let x = builder.input("x", type: Self.float([1, 4]))
        _ = builder.node("Exp", inputs: [x])
        let y = builder.node("Relu", inputs: [x])
        #expect(try Measured(try builder.finish(outputs: [y])).bound(.euclidean) == 1 + 8 * 0x1p-53)
    }

    /// Batch norm folded into the convolution before it is tighter than the product of norms: here the channel of large
    /// filters is the one that is scaled down.
    @Test func foldingIsTighterThanTheProduct() throws {
        func network(read: Bool) throws -> Measured {
            var builder = GraphBuilder(name: "folded")
            let x = builder.input("x", type: Self.float([1, 1, 6, 6]))
            var weight = [Float](repeating: 1, count: 9) + [Float](repeating: 0.1, count: 9)
            weight[4] = 2
            let filters = builder.constant("w", Tensor(shape: [2, 1, 3, 3], scalars: weight))
            let conv = builder.node("Conv", name: "conv", inputs: [x, filters])
            func parameter(_ name: String, _ values: [Float]) -> ValueID {
                builder.constant(name, Tensor(shape: [2], scalars: values))
            }
            let inputs = [
                conv, parameter("scale", [0.1, 1]), parameter("shift", [0, 0]), parameter("mean", [1, 2]),
                parameter("variance", [1, 1]),
            ]
            let norm = builder.node("BatchNormalization", name: "bn", inputs: inputs)
            let graph = try builder.finish(outputs: read ? [norm, conv] : [norm])
            return try Measured(graph)
        }
        let (folded, apart) = (try network(read: false), try network(read: true))
        #expect(folded.layers.map(\.name) == ["conv + bn"])
        #expect(apart.layers.map(\.name) == ["conv", "bn"])
        #expect(try folded.bound(.euclidean) < 0.2 * apart.bound(.euclidean))
        #expect(try folded.bound(.maximum) < 0.2 * apart.bound(.maximum))
        let quotient = try folded.largestQuotient(.maximum, pairs: 60, seed: 3)
        #expect(quotient <= (try folded.bound(.maximum)))
    }

    /// A residual block with everything that reference networks have.
    private func residual(seed: UInt64) throws -> Measured {
        var builder = GraphBuilder(name: "residual")
        var number = seed * 100
        func constant(_ shape: Shape, in range: ClosedRange<Float> = -1...1) -> ValueID {
            number += 1
            return builder.constant("c", .random(shape, in: range, seed: number))
        }
        func normalized(_ x: ValueID, _ channels: Int) -> ValueID {
            let shape: Shape = [channels]
            let parameters = [
                constant(shape), constant(shape), constant(shape), constant(shape, in: 0.5...2),
            ]
            return builder.node("BatchNormalization", inputs: [x] + parameters)
        }
        let pads: [String: Attribute] = ["pads": .ints([1, 1, 1, 1])]
        let x = builder.input("x", type: Self.float([1, 2, 6, 6]))
        let stem = builder.node(
            "Relu",
            inputs: [
                normalized(builder.node("Conv", inputs: [x, constant([3, 2, 3, 3])], attributes: pads), 3)
            ])
        let branch = normalized(
            builder.node("Conv", inputs: [stem, constant([3, 3, 3, 3])], attributes: pads), 3)
        let sum = builder.node("Relu", inputs: [builder.node("Add", inputs: [stem, branch])])
        let joined = builder.node("Concat", inputs: [sum, stem], attributes: ["axis": .int(1)])
        let pooled = builder.node(
            "MaxPool", inputs: [joined],
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        let mean = builder.node("Flatten", inputs: [builder.node("GlobalAveragePool", inputs: [pooled])])
        let y = builder.node("Gemm", inputs: [mean, constant([6, 4]), constant([4])])
        return try Measured(try builder.finish(outputs: [y]))
    }

    @Test(arguments: 1...4)
    func residualNetworks(seed: UInt64) throws {
        let network = try residual(seed: seed)
        #expect(network.layers.count == 4)
        for norm in VectorNorm.allCases {
            let bound = try network.bound(norm)
            #expect(try network.largestQuotient(norm, pairs: 60, seed: seed) <= bound, "seed \(seed)")
            // By hand: stem (1 for the skip + the branch, joined with the stem) mean logits.
            let norms = network.norms.map { $0[norm] }
            let joined = norm.joined([norms[0] * (1 + norms[1]), norms[0]])
            #expect(abs(bound / (joined * norms[2] * norms[3]) - 1) < 1e-12)
        }
    }
}
