import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// y = sum_u v_u relu(w_u . x) with squared error, where everything can be written down.
struct TwoLayerTests {
    private static let (inputs, units, samples) = (3, 4, 9)

    private struct Fixture {
        let graph: Graph
        let dataset: Dataset
        let first: [[Double]]
        let second: [Double]
        let x: [[Double]]
        let targets: [Double]

        init(seed: UInt64) throws {
            var random = RandomSource(seed: seed)
            func draw(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
            let (inputs, units, samples) = (TwoLayerTests.inputs, TwoLayerTests.units, TwoLayerTests.samples)
            let (w, v, x, t) = (draw(units * inputs), draw(units), draw(samples * inputs), draw(samples))
            var builder = GraphBuilder(name: "two layers")
            let input = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(inputs)]))
            let first = builder.constant("first", Tensor(shape: [units, inputs], scalars: w))
            let second = builder.constant("second", Tensor(shape: [1, units], scalars: v))
            let transposed: [String: Attribute] = ["transB": .int(1)]
            let hidden = builder.node("Gemm", inputs: [input, first], attributes: transposed)
            let active = builder.node("Relu", inputs: [hidden])
            let output = builder.node("Gemm", inputs: [active, second], attributes: transposed)
            graph = try builder.finish(outputs: [output])
            dataset = try Dataset(
                name: "noise",
                inputs: [.init(name: "x", values: Tensor(shape: [samples, inputs], scalars: x))],
                labels: .targets(Tensor(shape: [samples, 1], scalars: t)))
            func rows(_ values: [Float], _ length: Int) -> [[Double]] {
                stride(from: 0, to: values.count, by: length).map { start in
                    values[start..<(start + length)].map(Double.init)
                }
            }
            (self.first, self.second) = (rows(w, inputs), v.map(Double.init))
            (self.x, targets) = (rows(x, inputs), t.map(Double.init))
        }

        func activation(_ unit: Int, _ sample: Int) -> Double {
            max(0, zip(first[unit], x[sample]).reduce(0) { $0 + $1.0 * $1.1 })
        }

        /// dL/dy = 2 (y - t).
        func slope(_ sample: Int) -> Double {
            var output = 0.0
            for unit in second.indices { output += second[unit] * activation(unit, sample) }
            return 2 * (output - targets[sample])
        }

        func mean(_ value: (Int) -> Double) -> Double {
            x.indices.reduce(0) { $0 + value($1) } / Double(x.count)
        }

        func scene(_ criterion: any Criterion) throws -> ScoringScene {
            ScoringScene(
                graph,
                evidence: try EvidenceCollector(dataset, batchSize: 4, lane: Lane(threads: 1)).collect(
                    criterion.requiredEvidence, from: graph))
        }

        func scores(_ criterion: any Criterion, of name: String) throws -> [Double] {
            let scene = try scene(criterion)
            let id = try #require(graph.value(named: name)).id
            return try criterion.elementScores(of: try #require(scene.parameter(id)), scene: scene)
                .map { Double($0) }
        }

        func unitScores(_ criterion: any Criterion) throws -> [Double] {
            let group = try #require(try Pruner(graph).groups.open.first)
            return try criterion.unitScores(of: group, scene: scene(criterion))
        }
    }

    private func expect(
        _ actual: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let scale = expected.map(\.magnitude).max() ?? 0
        #expect(actual.count == expected.count, sourceLocation: sourceLocation)
        for (one, other) in zip(actual, expected) {
            #expect(abs(one - other) <= 1e-5 * scale, sourceLocation: sourceLocation)
        }
    }

    /// Summed within samples, over both slices: twice the activation times its gradient, there being no bias.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func absoluteTaylorOfAUnitIsTwiceItsActivationTimesGradient(seed: UInt64) throws {
        let fixture = try Fixture(seed: seed)
        expect(
            try fixture.unitScores(AbsoluteTaylor()),
            (0..<Self.units).map { unit in
                fixture.mean {
                    2 * abs(fixture.activation(unit, $0) * fixture.slope($0) * fixture.second[unit])
                }
            })
        // Not so the mean of terms taken one by one, which is larger.
        let elements = try fixture.scores(AbsoluteTaylor(), of: "second")
        expect(
            elements,
            (0..<Self.units).map { unit in
                fixture.mean {
                    abs(fixture.activation(unit, $0) * fixture.slope($0) * fixture.second[unit])
                }
            })
    }

    /// The curvature of squared error is the squared Jacobian, twice over one output; residuals play no part.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func curvatureIsThatOfSquaredError(seed: UInt64) throws {
        let fixture = try Fixture(seed: seed)
        let squares = (0..<Self.units).map { unit in
            fixture.mean { fixture.activation(unit, $0) * fixture.activation(unit, $0) }
        }
        expect(try fixture.scores(TrueFisher(), of: "second"), squares.map { 2 * $0 })
        expect(try fixture.scores(OutputSensitivity(), of: "second"), squares.map { $0.squareRoot() })
        // 1/2 v^2 h with h = 2 E[a^2]: what the error grows by when v is set to zero, but for the term of first order.
        expect(
            try fixture.scores(OptimalBrainDamage(), of: "second"),
            zip(squares, fixture.second).map { $0 * $1 * $1 })
        let gates = (0..<Self.units).flatMap { unit in
            (0..<Self.inputs).map { input in
                fixture.mean { sample in
                    guard fixture.activation(unit, sample) > 0 else { return 0 }
                    let derivative = fixture.second[unit] * fixture.x[sample][input]
                    return derivative * derivative
                }
            }
        }
        expect(try fixture.scores(TrueFisher(), of: "first"), gates.map { 2 * $0 })
    }
}
