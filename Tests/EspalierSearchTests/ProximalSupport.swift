import EspalierSearch
import EspalierTensors
import Foundation

/// What a proximal operator minimises: 1/2 sum_i (x_i - u_i)^2 / d_i + k ||x||.
struct ProximalProblem {
    var values: [Double]
    var metric: [Double]
    var groupPenalty: Double

    func objective(_ x: [Double]) -> Double {
        var (distance, squares) = (0.0, 0.0)
        for ((x, u), d) in zip(zip(x, values), metric) {
            distance += (x - u) * (x - u) / d / 2
            squares += x * x
        }
        return distance + groupPenalty * squares.squareRoot()
    }

    /// What the module makes of it, in the precision of `Real`.
    func solution<Real: BinaryFloatingPoint>(as: Real.Type) -> (x: [Real], norm: Double) {
        var x = values.map { Real($0) }
        let metric = metric.map { Real($0) }
        let norm = x.withUnsafeMutableBufferPointer { x in
            metric.withUnsafeBufferPointer { metric in
                MetricShrinkage.apply(
                    penalty: groupPenalty, metric: metric, to: x, slices: [WeightSlice(0..<x.count)])
            }
        }
        return (x, norm)
    }

    /// The norm of u / d, above which the group stays.
    var dualNorm: Double {
        zip(values, metric).reduce(0) { $0 + ($1.0 / $1.1) * ($1.0 / $1.1) }.squareRoot()
    }

    /// A group of `count` elements, some of them 0; the metric's elements spread over twelve orders of magnitude, and the
    /// values with them. The group penalty is `share` of what makes the group vanish.
    static func random(count: Int, share: Double, random: inout RandomSource) -> ProximalProblem {
        let metric = (0..<count).map { _ in Double(Float(pow(10, -8 + 12 * random.uniform()))) }
        let exponent = random.uniform()
        let values = metric.map { scale -> Double in
            random.uniform() < 0.2 ? 0 : Double(Float(random.normal() * pow(scale, exponent)))
        }
        var problem = ProximalProblem(values: values, metric: metric, groupPenalty: 0)
        problem.groupPenalty = share * problem.dualNorm
        return problem
    }
}

/// `values` shrunk by `threshold` as one group.
func shrunkGroup<Real: BinaryFloatingPoint>(_ values: [Real], _ threshold: Double) -> [Real] {
    var values = values
    values.withUnsafeMutableBufferPointer {
        _ = GroupShrinkage.apply(threshold, to: $0, slices: [WeightSlice(0..<$0.count)])
    }
    return values
}

func norm<Real: BinaryFloatingPoint>(_ values: [Real]) -> Double {
    values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
}
