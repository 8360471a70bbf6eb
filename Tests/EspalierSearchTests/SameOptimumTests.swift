import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

/// An optimiser with rates under which it finds the optimum of a well-conditioned regression.
struct OptimizerCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let optimizer: any Optimizer
    let schedule: any LearningRateSchedule
    let steps: Int

    static let all = [
        OptimizerCase(
            testDescription: "SGD", optimizer: StochasticGradientDescent(momentum: 0),
            schedule: ConstantRate(peak: 0.2), steps: 600),
        OptimizerCase(
            testDescription: "heavy ball", optimizer: StochasticGradientDescent(momentum: 0.9),
            schedule: ConstantRate(peak: 0.02), steps: 600),
        OptimizerCase(
            testDescription: "Nesterov",
            optimizer: StochasticGradientDescent(momentum: 0.8, isNesterov: true),
            schedule: ConstantRate(peak: 0.04), steps: 600),
        OptimizerCase(
            testDescription: "Adam", optimizer: Adam(), schedule: CosineAnnealing(peak: 0.02), steps: 2000),
        OptimizerCase(
            testDescription: "AdamW without decay", optimizer: AdamW(weightDecay: 0),
            schedule: CosineAnnealing(peak: 0.02), steps: 2000),
    ]

    func recipe(_ problem: MultiResponseLasso) -> TrainingRecipe {
        TrainingRecipe(
            epochs: steps, batchSize: problem.sampleCount, optimizer: optimizer, schedule: schedule,
            loss: MeanSquaredError(), seed: 1)
    }
}

/// Whichever optimiser trains, the penalties lead to the optimum of one convex problem, which another method in double
/// precision knows.
struct SameOptimumTests {
    /// Y = X W^T.
    @Test(arguments: OptimizerCase.all, [UInt64(1), 2])
    func lasso(_ optimizer: OptimizerCase, seed: UInt64) throws {
        let problem = MultiResponseLasso.random(
            seed: seed, samples: 48, features: 10, responses: 1, share: 0.3)
        let initial = start(problem, seed: seed)
        var builder = GraphBuilder(name: "regression")
        let x = regressors(&builder, problem)
        let weight = builder.constant("weight", Tensor(shape: [1, 10], scalars: initial))
        let output = builder.node("Gemm", inputs: [x, weight], attributes: ["transB": .int(1)])
        let graph = try builder.finish(outputs: [output])
        // A zero saves a tenth of the parameters, and counts by the typical magnitude at the beginning.
        let typical = norm(initial) / 10.0.squareRoot()
        let hook = try ElementPenalty(
            try Pruner(graph), request: PruningRequest(.element, targets: []), cost: .parameters,
            lambda: problem.penalty * typical * 10)
        let run = try train(graph, problem, optimizer, hook)
        let found = try trainedWeight(run)
        try compare(found.map { [Double($0)] }, problem, optimizer)
        #expect(try hook.plan(run).elements?.first?.kept == found.count { $0 != 0 })
    }

    /// Y = (X I) W^T, where I is no parameter: the features pass as channels that may go, and of each channel only the column of
    /// W that reads it counts.
    @Test(arguments: OptimizerCase.all, [UInt64(1), 2])
    func groupLasso(_ optimizer: OptimizerCase, seed: UInt64) throws {
        let problem = MultiResponseLasso.random(
            seed: seed, samples: 48, features: 8, responses: 3, share: 0.3)
        let initial = start(problem, seed: seed)
        let graph = try passing(problem, initial)
        let pruner = try Pruner(graph)
        let group = try #require(pruner.groups.open.first)
        #expect(pruner.groups.open.count == 1 && group.size == 8)
        // A channel saves an eighth of all multiply-accumulates.
        let typical = norm(initial) / 8.0.squareRoot()
        let hook = try GroupPenalty(
            pruner, request: channelRequest(), cost: .multiplyAccumulates,
            lambda: problem.penalty * typical * 8)
        let found = try trainedWeight(try train(graph, problem, optimizer, hook))
        let columns = (0..<8).map { feature in (0..<3).map { Double(found[$0 * 8 + feature]) } }
        try compare(columns, problem, optimizer)
        let zero = columns.indices.filter { columns[$0].allSatisfy { $0 == 0 } }
        #expect(hook.plan.channels?.first { $0.group == group.id }?.dropped == zero)
    }

    /// Why the steps are proximal: with a subgradient of the norm added to the gradient, weights come near to zero and never are.
    @Test(arguments: [1, 3], [UInt64(1), 2])
    func subgradientsNeverReachZero(responses: Int, seed: UInt64) {
        let problem = MultiResponseLasso.random(
            seed: seed, samples: 48, features: 10, responses: responses, share: 0.3)
        let optimum = problem.solution().coefficients
        var x = start(problem, seed: seed)[..<(10 * responses)].map { Double($0) }
        func columns() -> [[Double]] {
            (0..<10).map { feature in (0..<responses).map { x[$0 * 10 + feature] } }
        }
        var zeros = 0
        for step in 0..<4000 {
            let now = columns()
            let residuals = problem.residuals(now)
            let rate = 0.2 / Double(problem.sampleCount) / (1 + Double(step) / 100)
            for feature in 0..<10 {
                let length = norm(now[feature])
                for response in 0..<responses {
                    let slope = zip(problem.features[feature], residuals[response]).reduce(0) {
                        $0 - $1.0 * $1.1
                    }
                    let subgradient = length > 0 ? problem.kappa * now[feature][response] / length : 0
                    x[response * 10 + feature] -= rate * (slope + subgradient)
                }
            }
            zeros += x.count { $0 == 0 }
        }
        let expected = optimum.count { norm($0) == 0 }
        #expect(expected > 0)
        #expect(zeros == 0)
        // Near it is.
        for (found, best) in zip(columns(), optimum) {
            #expect(zip(found, best).allSatisfy { abs($0 - $1) < 0.02 })
        }
    }

    // MARK: - Parts

    private func start(_ problem: MultiResponseLasso, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed).split("start")
        return (0..<(problem.features.count * problem.responses.count)).map { _ in Float(random.normal()) }
    }

    private func regressors(_ builder: inout GraphBuilder, _ problem: MultiResponseLasso) -> ValueID {
        let dimensions: [Dimension] = [.symbolic("N"), .fixed(problem.features.count)]
        return builder.input("x", type: ValueType(dtype: .float32, dimensions: dimensions))
    }

    private func passing(_ problem: MultiResponseLasso, _ initial: [Float]) throws -> Graph {
        let (features, responses) = (problem.features.count, problem.responses.count)
        var builder = GraphBuilder(name: "regression")
        let x = regressors(&builder, problem)
        // Double precision is not trained.
        let identity = (0..<(features * features)).map { $0 % (features + 1) == 0 ? 1.0 : 0 }
        let double = builder.constant("identity", Tensor(shape: [features, features], scalars: identity))
        let single = builder.node("Cast", inputs: [double], attributes: ["to": .int(1)])
        let channels = builder.node("MatMul", inputs: [x, single])
        let weight = builder.constant("weight", Tensor(shape: [responses, features], scalars: initial))
        let output = builder.node("Gemm", inputs: [channels, weight], attributes: ["transB": .int(1)])
        return try builder.finish(outputs: [output])
    }

    private func train(
        _ graph: Graph, _ problem: MultiResponseLasso, _ optimizer: OptimizerCase, _ hook: any StepHook
    ) throws -> TrainingRun {
        let run = try TrainingRun(
            graph, training: problem.dataset(), recipe: optimizer.recipe(problem), hooks: [hook],
            lane: Lane(threads: 1))
        try run.train()
        return run
    }

    private func trainedWeight(_ run: TrainingRun) throws -> [Float] {
        #expect(run.store.trainable.map(\.name) == ["weight"])
        return Array(run.store.values[try #require(run.store.trainable.first).range])
    }

    private func compare(
        _ found: [[Double]], _ problem: MultiResponseLasso, _ optimizer: OptimizerCase
    ) throws {
        let (optimum, gap) = problem.solution()
        #expect(gap < 1e-9)
        // Nothing is on the edge, where rounding would decide.
        for (column, correlation) in zip(optimum, problem.correlations(optimum)) {
            #expect(norm(column) > 0.02 || (norm(column) == 0 && correlation < 0.99 * problem.kappa))
        }
        let zeros = optimum.map { norm($0) == 0 }
        #expect(zeros.contains(true) && zeros.contains(false))
        for (place, (column, best)) in zip(found, optimum).enumerated() {
            #expect(column.allSatisfy { $0 == 0 } == zeros[place], "feature \(place): \(column)")
            #expect(column.contains(0) == zeros[place])
            #expect(zip(column, best).allSatisfy { abs($0 - $1) < 1e-4 }, "\(column) instead of \(best)")
        }
        // As a share of the loss without any weights.
        let without = problem.responses.flatMap { $0 }
        let excess = problem.dualityGap(found) / (norm(without) * norm(without) / 2)
        #expect(excess < 1e-6, "\(excess)")
    }
}
