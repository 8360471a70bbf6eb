import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct RelaxationTests {
    private static let sampleCount = 6

    /// Bounds are those of the definition, computed with dense matrices in Double, and never above them.
    @Test(arguments: RelaxationNetwork.allCases, [UInt64(1), 2, 3])
    func boundsAreThoseOfTheDefinition(network: RelaxationNetwork, seed: UInt64) throws {
        let graph = try network.graph(seed: seed)
        let data = try RelaxationNetwork.samples(Self.sampleCount, seed: seed)
        let units = InputUnits(data, range: 0.05...0.95)
        let oracle = try RelaxationOracle(graph)
        guard case .classes(let classes, _) = data.labels else { return }
        let values = data.x.scalars(as: Double.self)
        let samples = Array(0..<Self.sampleCount)
        for (norm, radius) in [
            (VectorNorm.maximum, 0.02), (.maximum, 0.1), (.euclidean, 0.05), (.euclidean, 0.4),
        ] {
            for method in [RelaxationCertifier.Method.intervals, .crown] {
                let certifier = try RelaxationCertifier(
                    graph, dataset: data, units: units, norm: norm, method: method, lane: Lane(threads: 1))
                let found = try certifier.margins(samples: samples, radii: samples.map { _ in radius })
                for sample in samples {
                    let center = Array(
                        values[(sample * RelaxationNetwork.size)..<((sample + 1) * RelaxationNetwork.size)])
                    let expected = try oracle.margins(
                        right: Int(classes[sample]),
                        lower: center.indices.map {
                            min(center[$0], max(center[$0] - radius / 0.5, Double(units.lower[$0])))
                        },
                        upper: center.indices.map {
                            max(center[$0], min(center[$0] + radius / 0.5, Double(units.upper[$0])))
                        },
                        center: center, radius: norm == .euclidean ? radius / 0.5 : nil,
                        usesLines: method == .crown)
                    for (one, other) in zip(found[sample], expected) where other.isFinite {
                        let scale = 1 + abs(other)
                        #expect(
                            one <= other + 1e-6 * scale && one >= other - 2e-3 * scale,
                            "\(network), seed \(seed), \(norm), \(method): \(one) instead of \(other)")
                    }
                }
            }
        }
    }

    /// A hundred thousand points of each ball, and none beyond the bounds.
    @Test(arguments: RelaxationNetwork.allCases, VectorNorm.allCases)
    func pointsStayWithinBounds(network: RelaxationNetwork, norm: VectorNorm) throws {
        let seed: UInt64 = 7
        let graph = try network.graph(seed: seed)
        let data = try RelaxationNetwork.samples(2, seed: seed)
        let radius = norm == .maximum ? 0.05 : 0.3
        let certifier = try RelaxationCertifier(
            graph, dataset: data, norm: norm, method: .optimizedCrown(steps: 10), lane: Lane(threads: 1))
        let bounds = try certifier.margins(samples: [0, 1], radii: [radius, radius])
        guard case .classes(let classes, _) = data.labels else { return }
        let session = try InferenceSession(graph: graph)
        let units = certifier.units
        let batch = 5000
        var random = RandomSource(seed: seed)
        for sample in 0..<2 {
            let size = RelaxationNetwork.size
            let center = Array(data.x.scalars(as: Float.self)[(sample * size)..<((sample + 1) * size)])
            for _ in 0..<10 {
                var points: [Float] = []
                for _ in 0..<batch {
                    var change = (0..<size).map { _ in Float(random.normal()) }
                    let corner = norm == .maximum && random.uniform() < 0.5
                    let length =
                        norm == .maximum
                        ? change.reduce(0) { max($0, abs($1)) }
                        : change.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    for place in change.indices {
                        change[place] =
                            corner ? (change[place] < 0 ? -1 : 1) : change[place] / length
                        let moved =
                            center[place] + 0.999 * Float(radius) * change[place] / units.deviations[place]
                        points.append(min(max(moved, units.lower[place]), units.upper[place]))
                    }
                }
                let outputs =
                    try session.run([
                        "x": Tensor(shape: [batch, 2, 6, 5], scalars: points)
                    ]).values.first?.scalars(as: Double.self) ?? []
                let right = Int(classes[sample])
                for point in 0..<batch {
                    for other in 0..<RelaxationNetwork.classes where other != right {
                        let margin =
                            outputs[point * RelaxationNetwork.classes + right]
                            - outputs[point * RelaxationNetwork.classes + other]
                        if margin < bounds[sample][other] {
                            Issue.record(
                                "\(network), \(norm), seed \(seed): \(margin) below \(bounds[sample][other])")
                            return
                        }
                    }
                }
            }
        }
    }

    /// Slopes that are searched give bounds that are higher, and hold: what they raise is above the definition's, and nothing that
    /// was sampled lies below.
    @Test(arguments: RelaxationNetwork.allCases, VectorNorm.allCases)
    func searchedSlopesRaiseBounds(network: RelaxationNetwork, norm: VectorNorm) throws {
        let graph = try network.graph(seed: 3)
        let data = try RelaxationNetwork.samples(Self.sampleCount, seed: 3)
        let samples = Array(0..<Self.sampleCount)
        let radii = samples.map { _ in norm == .maximum ? 0.08 : 0.4 }
        func margins(_ method: RelaxationCertifier.Method) throws -> [Double] {
            try RelaxationCertifier(graph, dataset: data, norm: norm, method: method, lane: Lane(threads: 1))
                .margins(samples: samples, radii: radii).flatMap { $0.filter(\.isFinite) }
        }
        let (before, after) = (try margins(.crown), try margins(.optimizedCrown(steps: 20)))
        #expect(zip(before, after).allSatisfy { $1 >= $0 - 1e-9 * abs($0) })
        #expect(zip(before, after).contains { $1 > $0 + 1e-3 }, "\(before), \(after)")
    }

    /// More threads, other batches: the same bounds but for rounding.
    @Test func threadsAndOrderDoNotMatter() throws {
        let graph = try RelaxationNetwork.residual.graph(seed: 4)
        let data = try RelaxationNetwork.samples(Self.sampleCount, seed: 4)
        func margins(_ threads: Int, _ samples: [Int]) throws -> [[Double]] {
            try RelaxationCertifier(graph, dataset: data, norm: .maximum, lane: Lane(threads: threads))
                .margins(
                    samples: samples, radii: samples.map { _ in 0.05 })
        }
        let one = try margins(1, Array(0..<Self.sampleCount))
        let two = try margins(2, (0..<Self.sampleCount).reversed())
        for (sample, found) in two.reversed().enumerated() {
            for (left, right) in zip(found, one[sample]) where left.isFinite {
                #expect(abs(left - right) < 1e-4 * (1 + abs(left)))
            }
        }
    }

    /// Exact for a linear classifier: proven a thousandth below the distance of the boundary, and never beyond it.
    @Test(arguments: VectorNorm.allCases, [UInt64(1), 2, 3])
    func linearClassifiersAreCertifiedToTheirBoundary(norm: VectorNorm, seed: UInt64) throws {
        let linear = try LinearClassifier(seed: seed)
        let samples = Array(0..<linear.data.sampleCount)
        let distances = samples.map { linear.radius($0, norm) }
        let certifier = try RelaxationCertifier(
            linear.graph, dataset: linear.data, units: InputUnits(linear.data, range: -1000...1000),
            norm: norm,
            lane: Lane(threads: 1))
        // Very near the boundary the slack for rounding is what decides.
        let below = distances.map { max(0, $0 * 0.999 - 1e-4) }
        let beyond = distances.map { $0 * 1.0001 }
        let proven = try certifier.certifies(samples: samples, radii: below)
        #expect(zip(proven, below).allSatisfy { $0 || $1 == 0 })
        #expect(try certifier.certifies(samples: samples, radii: beyond).allSatisfy { !$0 })
    }

    /// Rows of a narrow branch, more of them at a time than a wide branch beside it takes, go through the same trunk.
    @Test func branchesOfDifferentWidthsShareATrunk() throws {
        var random = RandomSource(seed: 9)
        var builder = GraphBuilder(name: "branches")
        func linear(_ x: ValueID, _ inputs: Int, _ outputs: Int) -> ValueID {
            let weights = (0..<(inputs * outputs)).map { _ in
                Float(random.normal() / Double(inputs).squareRoot())
            }
            let weight = builder.constant("w", Tensor(shape: [outputs, inputs], scalars: weights))
            return builder.node("Gemm", inputs: [x, weight], attributes: ["transB": .int(1)])
        }
        func relu(_ x: ValueID) -> ValueID { builder.node("Relu", inputs: [x]) }
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(20)]))
        let trunk = relu(linear(x, 20, 8))
        let wide = linear(relu(linear(trunk, 8, 1500)), 1500, 2)
        let narrow = linear(relu(linear(trunk, 8, 12)), 12, 2)
        let joined = builder.node("Concat", inputs: [wide, narrow], attributes: ["axis": .int(1)])
        let output = linear(joined, 4, 3)
        let graph = try builder.finish(outputs: [output])
        let count = 64
        let values = (0..<(count * 20)).map { _ in Float(random.uniform()) }
        let data = try Dataset(
            name: "points", inputs: [.init(name: "x", values: Tensor(shape: [count, 20], scalars: values))],
            labels: .classes((0..<count).map { Int32($0 % 3) }, count: 3))
        let certifier = try RelaxationCertifier(graph, dataset: data, norm: .maximum, lane: Lane(threads: 1))
        let together = try certifier.margins(
            samples: Array(0..<count), radii: [Double](repeating: 0.5, count: count))
        for sample in [0, 31, 62, 63] {
            let alone = try certifier.margins(samples: [sample], radii: [0.5])[0]
            for (one, other) in zip(together[sample], alone) where one.isFinite {
                #expect(abs(one - other) < 1e-4 * (1 + abs(one)), "seed 9")
            }
        }
    }

    /// Intervals that overflow say nothing, also where a maximum sees others that have not.
    @Test func whatOverflowsProvesNothing() throws {
        var builder = GraphBuilder(name: "overflow")
        let input = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(2), .fixed(2)]))
        let large = builder.constant(
            "w", Tensor(shape: [1, 1, 2, 2], scalars: [1, 1e30, 1e30, 1e30] as [Float]))
        var x = input
        for _ in 0..<3 { x = builder.node("Mul", inputs: [x, large]) }
        x = builder.node("MaxPool", inputs: [x], attributes: ["kernel_shape": .ints([2, 2])])
        x = builder.node("Flatten", inputs: [builder.node("Relu", inputs: [x])])
        let weights = builder.constant("v", Tensor(shape: [2, 1], scalars: [-1, 1] as [Float]))
        let biases = builder.constant("b", Tensor(shape: [2], scalars: [1, 0] as [Float]))
        let output = builder.node("Gemm", inputs: [x, weights, biases], attributes: ["transB": .int(1)])
        let graph = try builder.finish(outputs: [output])
        let data = try Dataset(
            name: "points", inputs: [.init(name: "x", values: Tensor(zeros: [1, 1, 2, 2]))],
            labels: .classes([0], count: 2))
        for method in [RelaxationCertifier.Method.intervals, .crown] {
            let certifier = try RelaxationCertifier(
                graph, dataset: data, norm: .maximum, method: method, lane: Lane(threads: 1))
            #expect(try certifier.certifies(samples: [0], radii: [0.1]) == [false], "\(method)")
        }
    }

    /// The only window sees the places before and after the input.
    @Test func maximumOfPaddingAloneIsRefused() throws {
        var builder = GraphBuilder(name: "padding")
        let x = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2), .fixed(2), .fixed(2)]))
        let largest = builder.node(
            "MaxPool", name: "pool", inputs: [x],
            attributes: [
                "kernel_shape": .ints([2, 2]), "dilations": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]),
            ])
        let output = builder.node("Flatten", inputs: [largest])
        let graph = try builder.finish(outputs: [output])
        let data = try Dataset(
            name: "points", inputs: [.init(name: "x", values: Tensor(zeros: [1, 2, 2, 2]))],
            labels: .classes([0], count: 2))
        let error = #expect(throws: RobustnessError.self) {
            try RelaxationCertifier(graph, dataset: data, norm: .maximum, lane: Lane(threads: 1))
        }
        #expect(error.map { "\($0)".contains("pool") && "\($0)".contains("padding") } == true)
    }

    /// A bias that a node hands on is no less a bias.
    @Test(arguments: [RelaxationCertifier.Method.intervals, .crown])
    func constantsOfNodesCount(method: RelaxationCertifier.Method) throws {
        let data = try Dataset(
            name: "points",
            inputs: [.init(name: "x", values: Tensor(shape: [1, 2], scalars: [1, 0] as [Float]))],
            labels: .classes([0], count: 2))
        func margins(isHandedOn: Bool) throws -> [[Double]] {
            var builder = GraphBuilder(name: "bias")
            let x = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
            let weights = builder.constant("w", Tensor(shape: [2, 2], scalars: [1, 0, 0, 1] as [Float]))
            let bias = builder.constant("b", Tensor(shape: [2], scalars: [0, 10] as [Float]))
            let same = isHandedOn ? builder.node("Identity", inputs: [bias]) : bias
            let output = builder.node("Gemm", inputs: [x, weights, same])
            let certifier = try RelaxationCertifier(
                try builder.finish(outputs: [output]), dataset: data, norm: .maximum, method: method,
                lane: Lane(threads: 1))
            return try certifier.margins(samples: [0], radii: [0.1])
        }
        let found = try margins(isHandedOn: true)
        #expect(found == (try margins(isHandedOn: false)))
        #expect(found[0][1] < -8)
    }

    /// Where a reshape lays parts of a sample on axis 0, bounds of one sample would be taken for another's.
    @Test func samplesStayOnTheFirstAxis() throws {
        var builder = GraphBuilder(name: "shared")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(60)]))
        let parts = builder.constant("parts", Tensor(shape: [2], scalars: [-1, 10] as [Int64]))
        let whole = builder.constant("whole", Tensor(shape: [2], scalars: [-1, 18] as [Int64]))
        let split = builder.node("Reshape", name: "split", inputs: [x, parts])
        let first = builder.constant("w", Tensor(zeros: [10, 3]))
        let shared = builder.node("MatMul", inputs: [split, first])
        let active = builder.node("Relu", inputs: [shared])
        let joined = builder.node("Reshape", inputs: [active, whole])
        let last = builder.constant("v", Tensor(zeros: [18, 3]))
        let output = builder.node("MatMul", inputs: [joined, last])
        let graph = try builder.finish(outputs: [output])
        let data = try Dataset(
            name: "points", inputs: [.init(name: "x", values: Tensor(zeros: [1, 60]))],
            labels: .classes([0], count: 3))
        for method in [RelaxationCertifier.Method.intervals, .crown] {
            let error = #expect(throws: RobustnessError.self) {
                try RelaxationCertifier(
                    graph, dataset: data, norm: .maximum, method: method, lane: Lane(threads: 1))
            }
            #expect(error.map { "\($0)".contains("split") && "\($0)".contains("axis 0") } == true)
        }
    }

    @Test func whatCannotBeBoundedIsNamed() throws {
        var builder = GraphBuilder(name: "bent")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(60)]))
        let weights = builder.constant("w", Tensor(zeros: [3, 60]))
        let squashed = builder.node("Sigmoid", name: "squash", inputs: [x])
        let output = builder.node("Gemm", inputs: [squashed, weights], attributes: ["transB": .int(1)])
        let graph = try builder.finish(outputs: [output])
        let data = try Dataset(
            name: "points", inputs: [.init(name: "x", values: Tensor(zeros: [1, 60]))],
            labels: .classes([0], count: 3))
        let error = #expect(throws: RobustnessError.self) {
            try RelaxationCertifier(graph, dataset: data, norm: .maximum, lane: Lane(threads: 1))
        }
        #expect(error.map { "\($0)".contains("squash") } == true)
    }
}
