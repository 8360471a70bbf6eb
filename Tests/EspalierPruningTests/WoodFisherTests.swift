import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// Optimal brain surgeon on a linear regression, where it is exact.
struct WoodFisherTests {
    private static let inputs = 6

    /// y = W x with residuals of one size, plus and minus for each x: then the empirical Fisher matrix is a multiple of the
    /// Hessian, and W is the least-squares solution.
    private struct Regression {
        let graph: Graph
        let dataset: Dataset
        let weights: [Double]
        /// sum of x x^T.
        let plainMoments: [[Double]]
        /// The same damped as the criterion does it: by the mean of the diagonal.
        let moments: [[Double]]

        init(seed: UInt64) throws {
            var random = RandomSource(seed: seed)
            let (inputs, pairs) = (WoodFisherTests.inputs, 40)
            let weights = (0..<inputs).map { _ in Float(random.normal()) }
            var x: [Float] = []
            var y: [Float] = []
            var moments = [[Double]](repeating: [Double](repeating: 0, count: inputs), count: inputs)
            for _ in 0..<pairs {
                // Correlated inputs, so that moving the others matters.
                let common = random.normal()
                let row = (0..<inputs).map { _ in Float(random.normal() + common) }
                let value = zip(row, weights).reduce(Float(0)) { $0 + $1.0 * $1.1 }
                for sign: Float in [-1, 1] {
                    x += row
                    y.append(value + sign * 0.5)
                }
                for i in 0..<inputs {
                    for j in 0..<inputs { moments[i][j] += Double(row[i]) * Double(row[j]) }
                }
            }
            var builder = GraphBuilder(name: "regression")
            let input = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(inputs)]))
            let weight = builder.constant("weight", Tensor(shape: [1, inputs], scalars: weights))
            let output = builder.node(
                "Gemm", name: "fc", inputs: [input, weight], attributes: ["transB": .int(1)])
            graph = try builder.finish(outputs: [output])
            dataset = try Dataset(
                name: "lines",
                inputs: [.init(name: "x", values: Tensor(shape: [2 * pairs, inputs], scalars: x))],
                labels: .targets(Tensor(shape: [2 * pairs, 1], scalars: y)))
            plainMoments = moments
            let damping = (0..<inputs).reduce(0) { $0 + moments[$1][$1] } / Double(inputs)
            for i in 0..<inputs { moments[i][i] += damping }
            self.weights = weights.map(Double.init)
            self.moments = moments
        }

        /// The weights of least damped error with some of them held at zero, by the normal equations.
        func refitted(keeping kept: [Int]) -> [Double] {
            let all = moments.indices
            var matrix = kept.map { i in kept.map { moments[i][$0] } }
            var right = kept.map { i in all.reduce(0) { $0 + moments[i][$1] * weights[$1] } }
            for pivot in kept.indices {
                for row in kept.indices where row > pivot {
                    let factor = matrix[row][pivot] / matrix[pivot][pivot]
                    for column in kept.indices { matrix[row][column] -= factor * matrix[pivot][column] }
                    right[row] -= factor * right[pivot]
                }
            }
            var solution = [Double](repeating: 0, count: kept.count)
            for row in kept.indices.reversed() {
                var rest = right[row]
                for column in kept.indices where column > row {
                    rest -= matrix[row][column] * solution[column]
                }
                solution[row] = rest / matrix[row][row]
            }
            var result = [Double](repeating: 0, count: weights.count)
            for (place, index) in kept.enumerated() { result[index] = solution[place] }
            return result
        }

        /// The damped squared error that a choice of weights adds to that of the best.
        func growth(of changed: [Double]) -> Double { growth(of: changed, moments) }

        /// The squared error that it adds.
        func plainGrowth(of changed: [Double]) -> Double { growth(of: changed, plainMoments) }

        private func growth(of changed: [Double], _ moments: [[Double]]) -> Double {
            let change = zip(changed, weights).map { $0 - $1 }
            return change.indices.reduce(0) { sum, i in
                sum + change.indices.reduce(0) { $0 + change[i] * moments[i][$1] * change[$1] }
            }
        }
    }

    private func scene(_ regression: Regression) throws -> ScoringScene {
        ScoringScene(
            regression.graph,
            evidence: try EvidenceCollector(
                regression.dataset, loss: MeanSquaredError(), lane: Lane(threads: 1)
            ).collect([.inverseFisherBlocks], from: regression.graph))
    }

    /// Removing weights and moving the others equals refitting the others.
    @Test(arguments: [[0], [2, 5], [0, 1, 4]], [1, 2, 3] as [UInt64])
    func movingTheOthersEqualsRefitting(removed: [Int], seed: UInt64) throws {
        let regression = try Regression(seed: seed)
        let scene = try scene(regression)
        let id = try #require(regression.graph.value(named: "weight")).id
        let parameter = try #require(scene.parameter(id))
        let kept = (0..<Self.inputs).filter { !removed.contains($0) }
        let mask = Mask(shape: [1, Self.inputs], kept: (0..<Self.inputs).map { kept.contains($0) })
        let moved = try WoodFisher().compensated(parameter, mask: mask, scene: scene)
            .scalars(as: Double.self)
        let expected = regression.refitted(keeping: kept)
        for index in expected.indices {
            #expect(abs(moved[index] - expected[index]) < 1e-5, "weight \(index)")
        }
        #expect(removed.allSatisfy { moved[$0] == 0 })
        // It is better than only setting to zero, and by far; and still better where the error is not damped.
        let masked = regression.weights.indices.map { kept.contains($0) ? regression.weights[$0] : 0 }
        let best = regression.growth(of: expected)
        #expect(regression.growth(of: moved) - best <= 1e-6 * (regression.growth(of: masked) - best) + 1e-6)
        #expect(regression.plainGrowth(of: moved) < regression.plainGrowth(of: masked))
    }

    /// The score is proportional to the growth of the error after refitting.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func scoresAreTheGrowthOfTheError(seed: UInt64) throws {
        let regression = try Regression(seed: seed)
        let scene = try scene(regression)
        let id = try #require(regression.graph.value(named: "weight")).id
        let scores = try WoodFisher().elementScores(of: try #require(scene.parameter(id)), scene: scene)
        let growths = (0..<Self.inputs).map { removed in
            regression.growth(of: regression.refitted(keeping: (0..<Self.inputs).filter { $0 != removed }))
        }
        let ratio = Double(scores.reduce(0, +)) / growths.reduce(0, +)
        for (score, growth) in zip(scores, growths) {
            #expect(abs(Double(score) - ratio * growth) <= 1e-5 * ratio * growth)
        }
    }

    /// A plan is compensated as a whole and then applied; other criteria leave the network as it is.
    @Test func plansMoveWeights() throws {
        let regression = try Regression(seed: 4)
        let evidence = try scene(regression).evidence
        let pruner = try Pruner(regression.graph)
        let request = PruningRequest(
            .element, targets: [.sparsity(0.5)], criterion: WoodFisher(), prunesFirstAndLast: true)
        let plan = try pruner.plan(request, evidence: evidence)
        let moved = try pruner.compensating(plan, by: WoodFisher(), evidence: evidence)
        let applied = try Pruner(moved).applying(plan)
        let id = try #require(applied.value(named: "weight")).id
        let weights = try #require(applied.constants[id]).scalars(as: Double.self)
        let kept = weights.indices.filter { weights[$0] != 0 }
        #expect(kept.count == 3)
        for (weight, expected) in zip(weights, regression.refitted(keeping: kept)) {
            #expect(abs(weight - expected) < 1e-5)
        }
        let same = try pruner.compensating(plan, by: Magnitude(), evidence: evidence)
        #expect(
            same.constants[id]?.scalars(as: Float.self)
                == regression.graph.constants[id]?.scalars(as: Float.self))
    }
}
