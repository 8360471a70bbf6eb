import EspalierTensors
import EspalierTraining

/// 1/2 ||X B - Y||^2 + kappa sum_j ||B_j||, with B_j the coefficients of feature j for all responses: the group lasso of several
/// responses (Obozinski et al. 2010) and, of one response, the lasso. Strictly convex where X has full column rank.
struct MultiResponseLasso {
    /// X's columns.
    let features: [[Double]]
    /// Y's columns.
    let responses: [[Double]]
    var kappa: Double

    /// The optimum, by exact minimisation over one feature after another in double precision, with what it is off at most.
    func solution() -> (coefficients: [[Double]], gap: Double) {
        var coefficients = features.map { _ in responses.map { _ in 0.0 } }
        var residuals = responses
        for _ in 0..<20_000 {
            for (feature, column) in features.enumerated() {
                let square = dot(column, column)
                let correlations = responses.indices.map {
                    dot(column, residuals[$0]) + square * coefficients[feature][$0]
                }
                let length = norm(correlations)
                let factor = length <= kappa ? 0 : (1 - kappa / length) / square
                for response in responses.indices {
                    let next = factor * correlations[response]
                    let change = next - coefficients[feature][response]
                    for sample in column.indices { residuals[response][sample] -= change * column[sample] }
                    coefficients[feature][response] = next
                }
            }
            if dualityGap(coefficients) < 1e-12 { break }
        }
        return (coefficients, dualityGap(coefficients))
    }

    func residuals(_ coefficients: [[Double]]) -> [[Double]] {
        responses.indices.map { response in
            responses[response].indices.map { sample in
                responses[response][sample]
                    - features.indices.reduce(0) {
                        $0 + features[$1][sample] * coefficients[$1][response]
                    }
            }
        }
    }

    /// By feature, the length of its correlations with what is left to explain: kappa at most at the optimum, and kappa where
    /// the feature's coefficients are not zero.
    func correlations(_ coefficients: [[Double]]) -> [Double] {
        let residuals = residuals(coefficients)
        return features.map { column in norm(residuals.map { dot(column, $0) }) }
    }

    /// How far the objective is from the least at most. The dual is 1/2 ||Y||^2 - 1/2 ||Y - T||^2 over the T whose correlations
    /// with each feature are at most kappa, and residuals scaled into that set are such a T.
    func dualityGap(_ coefficients: [[Double]]) -> Double {
        let residuals = residuals(coefficients).flatMap { $0 }
        let scale = min(1, kappa / (correlations(coefficients).max() ?? 0))
        let penalty = coefficients.reduce(0) { $0 + norm($1) }
        let targets = responses.flatMap { $0 }
        let (length, distance) = (norm(targets), norm(zip(targets, residuals).map { $0 - scale * $1 }))
        return norm(residuals) * norm(residuals) / 2 + kappa * penalty
            - (length * length - distance * distance) / 2
    }

    private func dot(_ left: [Double], _ right: [Double]) -> Double {
        zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

extension MultiResponseLasso {
    /// Correlated features, of which some have an effect on all responses, and noise.
    ///
    /// - Parameter share: of the kappa from which on everything is zero.
    static func random(
        seed: UInt64, samples: Int, features: Int, responses: Int, share: Double
    ) -> MultiResponseLasso {
        var random = RandomSource(seed: seed)
        // Numbers that single precision holds exactly: the network has the same problem.
        func rounded(_ value: Double) -> Double { Double(Float(value)) }
        let common = (0..<samples).map { _ in 0.4 * random.normal() }
        let columns = (0..<features).map { _ in common.map { rounded($0 + random.normal()) } }
        let truth = (0..<features).map { feature in
            (0..<responses).map { _ in feature % 2 == 0 ? random.normal() : 0 }
        }
        let targets = (0..<responses).map { response in
            (0..<samples).map { sample in
                rounded(
                    columns.indices.reduce(0.2 * random.normal()) {
                        $0 + columns[$1][sample] * truth[$1][response]
                    })
            }
        }
        var problem = MultiResponseLasso(features: columns, responses: targets, kappa: 0)
        let zero = columns.map { _ in targets.map { _ in 0.0 } }
        problem.kappa = share * (problem.correlations(zero).max() ?? 0)
        return problem
    }

    var sampleCount: Int { features.first?.count ?? 0 }

    /// What kappa is beside the mean squared error, which is 2 / (samples responses) times the sum of squares here.
    var penalty: Double { kappa * 2 / Double(sampleCount * responses.count) }

    func dataset() throws -> Dataset {
        func rows(_ columns: [[Double]]) -> Tensor {
            let scalars = (0..<sampleCount).flatMap { sample in columns.map { Float($0[sample]) } }
            return Tensor(shape: [sampleCount, columns.count], scalars: scalars)
        }
        return try Dataset(
            name: "regression", inputs: [.init(name: "x", values: rows(features))],
            labels: .targets(rows(responses)))
    }
}
