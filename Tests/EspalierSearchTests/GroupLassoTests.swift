import EspalierSearch
import EspalierTensors
import Foundation
import Testing

/// 1/2 ||A x - b||^2 + lambda sum_g c_g ||x_g||, in double precision, with what certifies its optimum.
private struct GroupLasso {
    let groups: [Range<Int>]
    let costs: [Double]
    let lambda: Double
    private let rows: [[Double]]
    private let targets: [Double]

    /// A few groups have an effect, all have noise; columns are of different lengths and correlated.
    init(seed: UInt64, lambdaShare: Double) {
        var random = RandomSource(seed: seed)
        var end = 0
        groups = [3, 1, 4, 5, 2, 4].map { size in
            defer { end += size }
            return end..<end + size
        }
        costs = groups.map { Double($0.count).squareRoot() }
        let count = end
        let lengths = (0..<count).map { _ in 0.5 + random.uniform() }
        rows = (0..<60).map { _ in
            let common = random.normal()
            return lengths.map { $0 * (random.normal() + 0.5 * common) / 8 }
        }
        let truth = (0..<count).map { $0 < 8 ? random.normal() : 0 }
        targets = rows.map { row in
            zip(row, truth).reduce(0) { $0 + $1.0 * $1.1 } + 0.05 * random.normal()
        }
        // Of the lambda from which on everything is zero.
        var least = 0.0
        for (group, cost) in zip(groups, costs) {
            let (rows, targets) = (self.rows, self.targets)
            let correlations = group.map { column in zip(rows, targets).reduce(0) { $0 + $1.0[column] * $1.1 }
            }
            least = max(least, norm(correlations) / cost)
        }
        lambda = lambdaShare * least
    }

    var count: Int { groups.last?.upperBound ?? 0 }

    func residuals(_ x: [Double]) -> [Double] {
        zip(rows, targets).map { row, target in target - zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    func gradient(_ x: [Double]) -> [Double] {
        let residuals = residuals(x)
        return (0..<count).map { column in
            -zip(rows, residuals).reduce(0) { $0 + $1.0[column] * $1.1 }
        }
    }

    func objective(_ x: [Double]) -> Double {
        let residual = norm(residuals(x))
        let penalty = zip(groups, costs).reduce(0) { $0 + $1.1 * norm(Array(x[$1.0])) }
        return residual * residual / 2 + lambda * penalty
    }

    /// How far `x` is from the optimum at most: the dual is 1/2 ||b||^2 - 1/2 ||b - y||^2 over the y whose correlation with
    /// each group is at most lambda c_g, and residuals scaled into that set are such a y.
    func dualityGap(_ x: [Double]) -> Double {
        let (residuals, gradient) = (residuals(x), gradient(x))
        let scale = zip(groups, costs).reduce(1) {
            min($0, lambda * $1.1 / norm(Array(gradient[$1.0])))
        }
        let length = norm(targets)
        let distance = norm(zip(targets, residuals).map { $0 - scale * $1 })
        return objective(x) - (length * length - distance * distance) / 2
    }

    /// The sum of A's squares bounds the greatest eigenvalue of A^T A.
    var smoothness: Double { rows.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } } }
}

struct GroupLassoTests {
    private func proximalGradient(_ problem: GroupLasso) -> [Double] {
        var x = [Double](repeating: 0, count: problem.count)
        let length = 1 / problem.smoothness
        for _ in 0..<60_000 {
            for (element, slope) in problem.gradient(x).enumerated() { x[element] -= length * slope }
            shrink(&x, problem, stepLength: length)
        }
        return x
    }

    private func heavyBall(_ problem: GroupLasso, thresholdLength: (Double, Double) -> Double) -> [Double] {
        var x = [Double](repeating: 0, count: problem.count)
        var velocity = x
        let (rate, momentum) = (0.2 / problem.smoothness, 0.9)
        for _ in 0..<40_000 {
            for (element, slope) in problem.gradient(x).enumerated() {
                velocity[element] = momentum * velocity[element] + slope
                x[element] -= rate * velocity[element]
            }
            shrink(&x, problem, stepLength: thresholdLength(rate, momentum))
        }
        return x
    }

    private func shrink(_ x: inout [Double], _ problem: GroupLasso, stepLength: Double) {
        x.withUnsafeMutableBufferPointer { x in
            for (group, cost) in zip(problem.groups, problem.costs) {
                GroupShrinkage.apply(
                    stepLength * problem.lambda * cost, to: x, slices: [WeightSlice(group)])
            }
        }
    }

    /// Adam, with both moments and both corrections.
    private func adam(_ problem: GroupLasso) -> [Double] {
        var x = [Double](repeating: 0, count: problem.count)
        var (first, second, metric) = (x, x, x)
        let (beta1, beta2, rate, epsilon) = (0.9, 0.999, 3e-4, 1e-8)
        for step in 1...60_000 {
            for (element, slope) in problem.gradient(x).enumerated() {
                first[element] = beta1 * first[element] + (1 - beta1) * slope
                second[element] = beta2 * second[element] + (1 - beta2) * slope * slope
            }
            metric.withUnsafeMutableBufferPointer { metric in
                second.withUnsafeBufferPointer {
                    AdamMetric.fill(
                        metric, secondMoment: $0, correction: 1 - pow(beta2, Double(step)),
                        learningRate: rate, epsilon: epsilon)
                }
            }
            let correction = 1 - pow(beta1, Double(step))
            for element in 0..<x.count { x[element] -= metric[element] * first[element] / correction }
            x.withUnsafeMutableBufferPointer { x in
                metric.withUnsafeBufferPointer { metric in
                    for (group, cost) in zip(problem.groups, problem.costs) {
                        MetricShrinkage.apply(
                            penalty: problem.lambda * cost, metric: metric, to: x,
                            slices: [WeightSlice(group)])
                    }
                }
            }
        }
        return x
    }

    /// All optimisers reach one optimum, to a certified 1e-6 of the objective, with the same groups exactly zero.
    @Test(arguments: [UInt64(1), 2], [0.05, 0.3])
    func optimisersAgree(seed: UInt64, lambdaShare: Double) {
        let problem = GroupLasso(seed: seed, lambdaShare: lambdaShare)
        let solutions = [
            proximalGradient(problem),
            heavyBall(problem) { StepLength.heavyBall(learningRate: $0, momentum: $1) },
            adam(problem),
        ]
        let zeros = solutions.map { x in problem.groups.map { x[$0].allSatisfy { $0 == 0 } } }
        for (x, zero) in zip(solutions, zeros) {
            let gap = problem.dualityGap(x)
            #expect(gap < 1e-6, "\(gap) at an objective of \(problem.objective(x))")
            #expect(zero == zeros[0])
            #expect(zip(x, solutions[0]).allSatisfy { abs($0 - $1) < 1e-3 })
        }
        #expect(zeros[0].contains(true) && zeros[0].contains(false))
    }

    /// With the gradient step's own length as the threshold, heavy ball finds another optimum: that of a tenth of lambda.
    @Test func thresholdWithoutMomentumIsAnotherProblem() {
        let problem = GroupLasso(seed: 1, lambdaShare: 0.3)
        let wrong = heavyBall(problem) { rate, _ in rate }
        #expect(problem.dualityGap(wrong) > 1e-2)
        let tenth = GroupLasso(seed: 1, lambdaShare: 0.03)
        #expect(tenth.dualityGap(wrong) < 1e-6)
    }
}
