import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierRedundancy
import EspalierTensors
import EspalierTraining
import Testing

/// Units that stand for each other are folded into one, and what the network computes stays as far as they do.
struct MergingTests {
    private struct Merged {
        let merging: UnitMerging
        let graph: Graph
        /// The same units cut out without folding.
        let removed: Graph
        let input: Tensor
        let original: Graph

        func outputs(_ graph: Graph, _ x: Tensor) throws -> [Double] {
            let outputs = try ReferenceRunner.run(graph, inputs: [try #require(graph.inputs.first): x])
            return try #require(outputs.first).scalars(as: Double.self)
        }

        /// The largest difference from the whole network's outputs, relative to their range.
        func difference(of graph: Graph, on x: Tensor? = nil) throws -> Double {
            let expected = try outputs(original, x ?? input)
            let difference = zip(try outputs(graph, x ?? input), expected).map { abs($0 - $1) }.max() ?? 0
            return difference / (expected.map(abs).max() ?? 1)
        }

        func layer(_ id: String) throws -> LayerMerge {
            try #require(merging.layers.first { $0.group.id == id })
        }

        func shape(_ name: String) -> Shape? {
            graph.value(named: name).flatMap { graph.constants[$0.id]?.shape }
        }
    }

    private func merge(_ graph: Graph, on x: Tensor, tau: Double) throws -> Merged {
        let dataset = try Dataset(name: "given", inputs: [.init(name: "x", values: x)])
        let input = try #require(graph.inputs.first)
        var (single, double) = (x.shape, x.shape)
        (single[0], double[0]) = (1, 2)
        let pruner = try Pruner(graph, inputShapes: [input: single])
        let doubled = try ResolvedGraph(graph, inputShapes: [input: double])
        let watched = WatchedUnits(pruner.resolved, doubled: doubled, groups: pruner.groups)
        let readings = MergeReadings(watched, in: pruner, doubled: doubled)
        let observations = try UnitCovariances.measure(
            watched.layers + readings.further, of: graph, on: dataset, batchSize: 7, lane: Lane(threads: 1))
        let functional = try watched.layers.indices.map { try FunctionalGroups(observations[$0], tau: tau) }
        let merging = try readings.merging(functional, observations: observations, tau: tau)
        let (cut, masked) = try merging.merged()
        let result = Merged(
            merging: merging, graph: cut, removed: try pruner.cut(dropping: merging.units), input: x,
            original: graph)
        let expected = try result.outputs(masked, x)
        let range = expected.map(abs).max() ?? 1
        #expect(zip(try result.outputs(cut, x), expected).allSatisfy { abs($0 - $1) <= 1e-5 * range })
        return result
    }

    // MARK: - Exact

    /// Copies, and positive multiples behind ReLU, go without a trace, also on data that nothing was fitted to.
    @Test(arguments: [UInt64(1), 2, 3])
    func copiesInAPerceptronGo(seed: UInt64) throws {
        var network = PlantedNetwork(seed: seed)
        let x = network.features(5)
        let first = network.relu(
            network.linear(
                "fc1", x, inputs: 5, outputs: 8,
                copies: [.init(unit: 3, original: 1), .init(unit: 6, original: 1, scale: 0.3)]))
        let second = network.relu(
            network.linear(
                "fc2", first, inputs: 8, outputs: 6, copies: [.init(unit: 0, original: 5, scale: 2.5)]))
        let last = network.linear("fc3", second, inputs: 6, outputs: 3)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([60, 5], seed: seed), tau: 0.9999)
        #expect(result.shape("fc1.weight") == [6, 5] && result.shape("fc2.weight") == [5, 6])
        #expect(try result.difference(of: result.graph) < 1e-5)
        #expect(try result.difference(of: result.graph, on: noise([50, 5], seed: seed + 100)) < 1e-5)
        #expect(try result.difference(of: result.removed) > 1e-3)
        #expect(result.graph.nodes.count == graph.nodes.count)
        #expect(try result.layer("fc1.weight").merged.count == 2)
        #expect(result.merging.plan.channels?.first { $0.group == "fc1.weight" }?.requested == 0.25)
    }

    /// Through ReLU, pooling, padding and a flattening into a matrix. Padding takes nothing from multiples.
    @Test(arguments: [0, 1])
    func copiesInAConvolutionalNetworkGo(padding: Int) throws {
        var network = PlantedNetwork(seed: 4)
        let x = network.image(channels: 2, size: 10)
        let first = network.relu(
            network.convolution(
                "conv1", x, inputs: 2, outputs: 6, padding: padding,
                copies: [.init(unit: 4, original: 0), .init(unit: 5, original: 2, scale: 1.7)]))
        let second = network.pool(
            network.relu(
                network.convolution(
                    "conv2", first, inputs: 6, outputs: 5, padding: padding,
                    copies: [.init(unit: 1, original: 3, scale: 0.6)])))
        let size = padding == 1 ? 5 : 3
        let last = network.linear("fc", network.flatten(second), inputs: 5 * size * size, outputs: 4)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([20, 2, 10, 10], seed: 5), tau: 0.9999)
        #expect(
            result.shape("conv1.weight") == [4, 2, 3, 3] && result.shape("conv2.weight") == [4, 4, 3, 3])
        #expect(result.shape("fc.weight") == [4, 4 * size * size])
        #expect(try result.difference(of: result.graph) < 1e-5)
        #expect(try result.difference(of: result.graph, on: noise([9, 2, 10, 10], seed: 6)) < 1e-5)
        #expect(try result.difference(of: result.removed) > 1e-3)
    }

    /// Batch norm behind ReLU makes a line of a copy: slope and intercept of any sign.
    @Test(arguments: [UInt64(1), 2, 3])
    func linesGoIntoWeightsAndBiases(seed: UInt64) throws {
        var network = PlantedNetwork(seed: seed)
        let x = network.image(channels: 1, size: 8)
        let hidden = network.relu(
            network.convolution(
                "conv1", x, inputs: 1, outputs: 4, copies: [.init(unit: 2, original: 0, scale: 0.5)]))
        let normal = network.normalization("norm", hidden, channels: 4)
        // No ReLU here: a unit that fires for no sample would go as a constant, and fire for others.
        let second = network.convolution("conv2", normal, inputs: 4, outputs: 3)
        let last = network.linear("fc", network.flatten(second), inputs: 48, outputs: 2)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([20, 1, 8, 8], seed: seed), tau: 0.9999)
        #expect(result.shape("conv1.weight") == [3, 1, 3, 3] && result.merging.count == 1)
        let difference = try result.difference(of: result.graph, on: noise([9, 1, 8, 8], seed: seed + 100))
        #expect(difference < 1e-5)
        let change = try #require(try result.layer("conv1.weight").merged.first?.changes.first)
        #expect(abs(change.fit.intercept) > 1e-3 && change.shift != nil)
        #expect(result.graph.nodes.count == graph.nodes.count)
    }

    /// Zero padding takes an intercept away at the border: what needs one stays, and why is said.
    @Test func paddedReadersRefuseIntercepts() throws {
        var network = PlantedNetwork(seed: 7)
        let x = network.image(channels: 1, size: 6)
        let hidden = network.convolution(
            "conv1", x, inputs: 1, outputs: 4, padding: 1,
            copies: [.init(unit: 2, original: 0), .init(unit: 3, original: 1)])
        // Adds 5 to unit 2 alone, behind its copy.
        let shift = network.builder.constant(
            "shift", Tensor(shape: [4, 1, 1], scalars: [0, 0, 5, 0] as [Float]))
        let second = network.relu(
            network.convolution("conv2", network.add(hidden, shift), inputs: 4, outputs: 3, padding: 1))
        let last = network.linear("fc", network.flatten(second), inputs: 108, outputs: 2)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([20, 1, 6, 6], seed: 8), tau: 0.9999)
        let layer = try result.layer("conv1.weight")
        #expect(layer.units == [3])
        #expect(layer.stayed.map(\.unit) == [2])
        #expect(layer.refusal?.contains("zero padding") == true && layer.refusal?.contains("conv2") == true)
        #expect(result.merging.plan.channels?.first { $0.group == "conv1.weight" }?.refused == layer.refusal)
        #expect(try result.difference(of: result.graph) < 1e-5)
    }

    /// Readers without a bias get a sum behind them.
    @Test func productsWithoutBiasGetOne() throws {
        var network = PlantedNetwork(seed: 9)
        let x = network.features(4)
        let hidden = network.linear(
            "fc1", x, inputs: 4, outputs: 5, copies: [.init(unit: 4, original: 1, scale: -2)])
        let shift = network.constant("shift", [5])
        let weight = network.constant("product.weight", [5, 3])
        let last = network.builder.node(
            "MatMul", name: "product", inputs: [network.add(hidden, shift), weight])
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([40, 4], seed: 9), tau: 0.9999)
        #expect(result.shape("product.weight") == [4, 3])
        #expect(result.graph.nodes.count == graph.nodes.count + 1)
        #expect(try result.difference(of: result.graph, on: noise([30, 4], seed: 10)) < 1e-5)
    }

    /// Units that never change leave their constant; here those of saturated sigmoids.
    @Test func constantsFold() throws {
        var network = PlantedNetwork(seed: 11)
        let x = network.features(3)
        let shift = network.builder.constant(
            "shift", Tensor(shape: [6], scalars: [0, 0, 300, 0, -300, 0] as [Float]))
        let hidden = network.builder.node(
            "Sigmoid", inputs: [network.add(network.linear("fc1", x, inputs: 3, outputs: 6), shift)])
        let last = network.linear("fc2", hidden, inputs: 6, outputs: 2)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([30, 3], seed: 12), tau: 1)
        let layer = try result.layer("fc1.weight")
        #expect(layer.units == [2, 4] && layer.merged.allSatisfy { $0.representative == nil })
        #expect(try result.difference(of: result.graph) < 1e-5)
        #expect(try result.difference(of: result.removed) > 1e-3)
    }

    // MARK: - Several readers

    /// Units of a residual stream are read behind the stem and behind the sum. Where both ends agree they go, with a
    /// slope for each reader; where the branch makes two of them different they stay, and why is said.
    @Test(arguments: [true, false])
    func residualStreamsAreFittedForEachReader(branchAgrees: Bool) throws {
        var network = PlantedNetwork(seed: 13)
        let x = network.image(channels: 1, size: 6)
        let stem = network.relu(
            network.convolution(
                "stem", x, inputs: 1, outputs: 4, padding: 1, copies: [.init(unit: 3, original: 1, scale: 2)])
        )
        let branch = network.convolution(
            "branch", stem, inputs: 4, outputs: 4, padding: 1,
            copies: branchAgrees ? [.init(unit: 3, original: 1, scale: 2)] : [])
        let sum = network.add(stem, branch)
        let last = network.linear("fc", network.flatten(sum), inputs: 144, outputs: 3)
        let graph = try network.builder.finish(outputs: [last])
        guard branchAgrees else {
            let error = try #require(throws: RedundancyError.self) {
                try merge(graph, on: noise([30, 1, 6, 6], seed: 14), tau: 0.99)
            }
            #expect(error.description.contains("stem.weight: 1 redundant unit stays"))
            #expect(error.description.contains("'fc' reads another value"))
            return
        }
        let result = try merge(graph, on: noise([30, 1, 6, 6], seed: 14), tau: 0.9999)
        let readers = try result.layer("stem.weight").merged.flatMap(\.changes)
        #expect(readers.map(\.reader.node.name) == ["branch", "fc"])
        #expect(result.shape("branch.weight") == [3, 3, 3, 3] && result.shape("fc.weight") == [3, 108])
        #expect(try result.difference(of: result.graph, on: noise([9, 1, 6, 6], seed: 15)) < 1e-5)
    }

    /// A unit that two readers see differently gets a slope for each: here that of the mean, and of the mean behind ReLU.
    @Test func eachReaderHasItsSlope() throws {
        var network = PlantedNetwork(seed: 16)
        let x = network.features(4)
        let hidden = network.linear("fc1", x, inputs: 4, outputs: 5, copies: [.init(unit: 0, original: 2)])
        let scale = network.builder.constant(
            "scale", Tensor(shape: [5], scalars: [3, 1, 1, 1, 1] as [Float]))
        let one = network.linear(
            "one", network.builder.node("Mul", inputs: [hidden, scale]), inputs: 5, outputs: 2)
        let two = network.linear("two", network.relu(hidden), inputs: 5, outputs: 2)
        let last = network.add(one, two)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([40, 4], seed: 17), tau: 0.9999)
        let gone = try #require(try result.layer("fc1.weight").merged.first)
        let (unit, kept) = (gone.unit, try #require(gone.representative))
        #expect(Set([unit, kept]) == [0, 2])
        let slopes = Dictionary(
            uniqueKeysWithValues: gone.changes.map { ($0.reader.node.name, $0.fit.slope) })
        #expect(abs(try #require(slopes["one"]) - (unit == 0 ? 3 : 1.0 / 3)) < 1e-5)
        #expect(abs(try #require(slopes["two"]) - 1) < 1e-5)
        #expect(try result.difference(of: result.graph, on: noise([30, 4], seed: 18)) < 1e-5)
    }

    /// A weight that several nodes read cannot be told to read other units for one of them.
    @Test func sharedWeightsRefuse() throws {
        var network = PlantedNetwork(seed: 19)
        let x = network.features(4)
        let copies = [PlantedNetwork.Copy(unit: 1, original: 0)]
        let left = network.relu(network.linear("left", x, inputs: 4, outputs: 3, copies: copies))
        let right = network.relu(network.linear("right", x, inputs: 4, outputs: 3, copies: copies))
        let weight = network.constant("shared.weight", [3, 2])
        let one = network.builder.node("MatMul", inputs: [left, weight])
        let two = network.builder.node("MatMul", inputs: [right, weight])
        let last = network.add(one, two)
        let graph = try network.builder.finish(outputs: [last])
        let error = try #require(throws: RedundancyError.self) {
            try merge(graph, on: noise([40, 4], seed: 20), tau: 0.99)
        }
        #expect(
            error.description.contains("'shared.weight', which reads its channels, is used elsewhere too"))
    }

    // MARK: - Approximate

    /// Of noisy copies merging leaves less error than plain removal, on data that it did not see.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func noisyCopiesAreBetterMergedThanRemoved(seed: UInt64) throws {
        var network = PlantedNetwork(seed: seed)
        let x = network.features(12)
        let copies = (0..<6).map {
            PlantedNetwork.Copy(unit: 2 * $0 + 1, original: 2 * $0, scale: 0.5 + Float($0) / 4, noise: 0.1)
        }
        let hidden = network.relu(network.linear("fc1", x, inputs: 12, outputs: 16, copies: copies))
        let last = network.linear("fc2", hidden, inputs: 16, outputs: 5)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: noise([400, 12], seed: seed + 10), tau: 0.9)
        #expect(result.merging.count >= 6)
        let other = noise([400, 12], seed: seed + 20)
        let merged = try result.difference(of: result.graph, on: other)
        let removed = try result.difference(of: result.removed, on: other)
        #expect(merged < 0.5 * removed, "seed \(seed): merged \(merged), removed \(removed)")
    }

    /// Of three units that hang together the middle one stays: it tells the others best.
    @Test func theBestPredictorStays() throws {
        var random = RandomSource(seed: 21)
        var rows: [Double] = []
        for _ in 0..<2000 {
            let shared = random.normal()
            rows += [shared + 0.3 * random.normal(), shared, shared + 0.3 * random.normal()]
        }
        let x = Tensor(shape: [2000, 3], scalars: rows.map { Float($0) })
        var network = PlantedNetwork(seed: 22)
        let input = network.features(3)
        let identity = network.builder.constant(
            "fc1.weight", Tensor(shape: [3, 3], scalars: [1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float]))
        let hidden = network.builder.node("MatMul", inputs: [input, identity])
        let last = network.linear("fc2", hidden, inputs: 3, outputs: 2)
        let graph = try network.builder.finish(outputs: [last])
        let result = try merge(graph, on: x, tau: 0.8)
        let merged = try result.layer("fc1.weight").merged
        #expect(merged.map(\.unit) == [0, 2] && merged.allSatisfy { $0.representative == 1 })
    }

    @Test func nothingRedundantIsAnError() throws {
        var network = PlantedNetwork(seed: 23)
        let x = network.features(4)
        let hidden = network.linear("fc1", x, inputs: 4, outputs: 3)
        let last = network.linear("fc2", hidden, inputs: 3, outputs: 2)
        let graph = try network.builder.finish(outputs: [last])
        let error = try #require(throws: RedundancyError.self) {
            try merge(graph, on: noise([40, 4], seed: 24), tau: 1)
        }
        #expect(
            error.description == "nothing to merge: at tau 1.0 no unit is redundant; a lower --tau finds more"
        )
    }
}

/// Lines against their definition, by brute force.
struct UnitFitTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func linesMinimiseTheSquaredError(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let pairs = (0..<200).map { _ in
            let twin = 2 + random.normal()
            return (unit: 3 - 0.7 * twin + 0.4 * random.normal(), twin: twin)
        }
        var rows = pairs.flatMap { [$0.unit, $0.twin] }
        var observations = StreamingCovariance(variableCount: 2)
        observations.add(&rows)
        func error(_ slope: Double, _ intercept: Double) -> Double {
            pairs.reduce(0) { sum, pair in
                let rest = pair.unit - slope * pair.twin - intercept
                return sum + rest * rest
            } / Double(pairs.count)
        }
        let variance = observations.variance(0)
        let line = UnitFit(of: 0, from: 1, in: observations)
        #expect(abs(line.determination - (1 - error(line.slope, line.intercept) / variance)) < 1e-9)
        let origin = UnitFit(of: 0, throughOriginFrom: 1, in: observations)
        #expect(origin.intercept == 0)
        #expect(abs(origin.determination - (1 - error(origin.slope, 0) / variance)) < 1e-9)
        for step in [-0.01, 0.01] {
            #expect(error(line.slope + step, line.intercept) > error(line.slope, line.intercept))
            #expect(error(line.slope, line.intercept + step) > error(line.slope, line.intercept))
            #expect(error(origin.slope + step, 0) > error(origin.slope, 0))
        }
        #expect(origin.determination < line.determination)
    }

    @Test func constantsTellNothingAndAreToldWholly() {
        var rows: [Double] = [1, 0, 5, 1, 2, 5, 1, 4, 5]
        var observations = StreamingCovariance(variableCount: 3)
        observations.add(&rows)
        let constant = UnitFit(of: 0, from: 1, in: observations)
        #expect(constant.slope == 0 && constant.intercept == 1 && constant.determination == 1)
        let varying = UnitFit(of: 1, from: 0, in: observations)
        #expect(varying.slope == 0 && varying.intercept == 2 && varying.determination == 0)
        let ratio = UnitFit(of: 0, throughOriginFrom: 2, in: observations)
        #expect(abs(ratio.slope - 0.2) < 1e-12 && ratio.determination == 1)
        #expect(UnitFit(of: 0, throughOriginFrom: 1, in: observations).determination == 0)
    }
}
