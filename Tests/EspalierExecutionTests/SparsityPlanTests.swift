import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
import Testing

/// Which layers leave out their zeros, by costs that are made up so that the best plan is plain.
struct SparsityPlanTests {
    /// Dense and sparse products take nothing but their multiply-accumulates: one of them a second, and `slowness`
    /// times that where zeros are left out. So do copies, by `reorder` seconds a byte.
    private static func costs(slowness: Double = 1, reorder: Double = 0) -> KernelCostModel {
        let ceilings = MachineCeilings(
            threads: 1, multiplyAccumulatesPerSecond: 1e6,
            levels: [.init(name: "memory", byteCount: nil, bytesPerSecond: .infinity)])
        let sparse = KernelCostModel.Constants(multiplyAccumulatesPerSecond: 1e6 / slowness)
        return KernelCostModel(
            ceilings: ceilings,
            formats: [
                .dense: .init(multiplyAccumulatesPerSecond: 1e6), .tiles: sparse, .bands: sparse,
                .rows: sparse,
            ],
            reorders: .init(secondsPerByteToPlain: reorder, secondsPerByteToChannelsLast: reorder))
    }

    /// One number in `every` is not zero.
    private static func weights(_ shape: Shape, every: Int) -> Tensor {
        Tensor(shape: shape, scalars: (0..<shape.count).map { $0 % every == 0 ? Float(1) : 0 })
    }

    private static let size = 16

    /// Convolutions from 16 to 16 channels on 16x16 positions, one of `densities` weights in each, with what `between` adds after
    /// each of them.
    private static func network(
        _ every: [Int], between: (inout GraphBuilder, ValueID) -> ValueID = { $1 }
    ) throws -> Graph {
        var builder = GraphBuilder(name: "chain")
        var value = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 16, size, size]))
        for (place, every) in every.enumerated() {
            value = builder.node(
                "Conv",
                inputs: [value, builder.constant("w\(place)", weights([16, 16, 3, 3], every: every))],
                attributes: ["pads": .ints([1, 1, 1, 1])])
            value = between(&builder, value)
        }
        return try builder.finish(outputs: [value])
    }

    private static func shape(_ dimensions: [Dimension]) -> Shape {
        Shape(dimensions.map { if case .fixed(let extent) = $0 { extent } else { 1 } })
    }

    /// Of the products, in order, for inputs with one sample where their shape leaves that open.
    static func formats(_ graph: Graph, _ use: SparsityUse) throws -> [KernelFormat?] {
        let plan = try InferencePlan(
            graph,
            inputShapes: Dictionary(
                uniqueKeysWithValues: graph.inputs.map { input in
                    (input, Self.shape(graph.values[input]?.type?.dimensions ?? []))
                }), outputs: graph.outputs, threads: 1, sparsity: use)
        return plan.listing.filter { $0.label.contains("Conv") || $0.label.contains("MatMul") }.map(\.format)
    }

    @Test func zerosAreLeftOutWhereThatIsFaster() throws {
        let graph = try Self.network([10, 2, 10])
        #expect(try Self.formats(graph, .whereFaster(Self.costs(slowness: 3))) == [.tiles, .dense, .tiles])
        // Every other weight, the same ones in all rows, makes bands.
        #expect(try Self.formats(graph, .whereFaster(Self.costs())) == [.tiles, .bands, .tiles])
        #expect(try Self.formats(graph, .whereFaster(Self.costs(slowness: 30))) == [.dense, .dense, .dense])
        #expect(try Self.formats(graph, .always) == [.tiles, .bands, .tiles])
        #expect(try Self.formats(graph, .never) == [nil, nil, nil])
        // Weights without zeros leave nothing to choose.
        #expect(try Self.formats(try Self.network([1, 10]), .always) == [nil, .tiles])
    }

    /// A convolution takes 0.59 s densely, what is saved by its zeros about 0.53 s, a copy of its 16 KiB 16,384 times `reorder`.
    @Test func copiesCount() throws {
        let alternating = try Self.network([1, 10, 1])
        // Two copies for one sparse layer among dense ones: worth it up to 0.26 s each.
        #expect(
            try Self.formats(alternating, .whereFaster(Self.costs(reorder: 0.2 / 16384))) == [
                nil, .tiles, nil,
            ])
        #expect(
            try Self.formats(alternating, .whereFaster(Self.costs(reorder: 0.4 / 16384))) == [
                nil, .dense, nil,
            ])
        // Dense layers between sparse ones are computed sparsely if copies cost more than that.
        let mixed = try Self.network([10, 2, 10])
        #expect(
            try Self.formats(mixed, .whereFaster(Self.costs(slowness: 3, reorder: 0.1 / 16384)))
                == [.tiles, .dense, .tiles])
        #expect(
            try Self.formats(mixed, .whereFaster(Self.costs(slowness: 3, reorder: 0.4 / 16384)))
                == [.tiles, .bands, .tiles])
    }

    /// Poolings and sums take any layout; the copy is made once, before or behind them.
    @Test func copiesArePassedOn() throws {
        let graph = try Self.network([1, 10, 1]) { builder, value in
            let pooled = builder.node(
                "MaxPool", inputs: [value],
                attributes: [
                    "kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "strides": .ints([1, 1]),
                ])
            return builder.node("Add", inputs: [builder.node("Sigmoid", inputs: [pooled]), pooled])
        }
        for (reorder, format) in [(0.2, KernelFormat.tiles), (0.4, .dense)] {
            let found = try Self.formats(graph, .whereFaster(Self.costs(reorder: reorder / 16384)))
            #expect(found == [nil, format, nil])
        }
    }

    /// Two sparse layers that read one value need one copy, not two.
    @Test func copiesAreShared() throws {
        var builder = GraphBuilder(name: "fork")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 16, Self.size, Self.size]))
        func convolve(_ value: ValueID, _ name: String, every: Int) -> ValueID {
            builder.node(
                "Conv", inputs: [value, builder.constant(name, Self.weights([16, 16, 3, 3], every: every))],
                attributes: ["pads": .ints([1, 1, 1, 1])])
        }
        let stem = convolve(x, "stem", every: 1)
        let branches = (convolve(stem, "left", every: 10), convolve(stem, "right", every: 10))
        let sum = builder.node("Max", inputs: [branches.0, branches.1])
        let last = convolve(sum, "last", every: 1)
        let graph = try builder.finish(outputs: [last])
        for (reorder, format) in [(0.45, KernelFormat.tiles), (0.6, .dense)] {
            let found = try Self.formats(graph, .whereFaster(Self.costs(reorder: reorder / 16384)))
            #expect(found == [nil, format, format, nil])
        }
    }

    /// Products know one layout: each decides for itself.
    @Test(arguments: [1, 40])
    func productsDecideForThemselves(rows: Int) throws {
        var builder = GraphBuilder(name: "products")
        var value = builder.input("x", type: ValueType(dtype: .float32, shape: [rows, 64]))
        for (place, every) in [10, 2].enumerated() {
            value = builder.node(
                "MatMul",
                inputs: [value, builder.constant("w\(place)", Self.weights([64, 64], every: every))]
            )
        }
        let graph = try builder.finish(outputs: [value])
        let sparse = rows <= 16 ? KernelFormat.rows : .tiles
        let found = try Self.formats(graph, .whereFaster(Self.costs(slowness: 3, reorder: 1)))
        #expect(found == [sparse, .dense])
    }
}
