/// Least squares from covariances: how well some variables say, linearly and with an intercept, what mixtures of all
/// variables do, judged on other data than they were fitted to.
package struct LinearPrediction: Sendable {
    /// What is predicted: sum_i weights[i] x_i.
    package struct Target: Sendable {
        package let variables: [Int]
        package let weights: [Double]

        package init(variables: [Int], weights: [Double]) {
            self.variables = variables
            self.weights = weights
        }
    }

    private let fit: StreamingCovariance
    /// Those predictors that the ones before do not determine already.
    package let predictors: [Int]
    /// The Cholesky factor of the predictors' covariance; lower rows.
    private let factor: [[Double]]

    /// Less than this share of a variable's variance left unexplained counts as nothing: it is what rounding leaves.
    private static let tolerance = 1e-9

    /// Factors the predictors' covariance. There is no ridge: a predictor which those before it determine is left out.
    package init(_ fit: StreamingCovariance, from predictors: [Int]) {
        self.fit = fit
        var used: [Int] = []
        var factor: [[Double]] = []
        for variable in predictors where !fit.isConstant(variable) {
            var row: [Double] = []
            row.reserveCapacity(used.count + 1)
            var rest = fit.variance(variable)
            for (i, other) in used.enumerated() {
                var sum = fit.covariance(variable, other)
                factor[i].withUnsafeBufferPointer { above in
                    for k in 0..<i { sum -= above[k] * row[k] }
                }
                row.append(sum / factor[i][i])
                rest -= row[i] * row[i]
            }
            guard rest > Self.tolerance * fit.variance(variable) else { continue }
            row.append(rest.squareRoot())
            factor.append(row)
            used.append(variable)
        }
        self.predictors = used
        self.factor = factor
    }

    /// The coefficients of ``predictors``, in their order.
    package func coefficients(of target: Target) -> [Double] {
        var solution = predictors.map { variable in
            zip(target.variables, target.weights).reduce(0) { $0 + $1.1 * fit.covariance(variable, $1.0) }
        }
        for i in solution.indices {
            for k in 0..<i { solution[i] -= factor[i][k] * solution[k] }
            solution[i] /= factor[i][i]
        }
        for i in solution.indices.reversed() {
            solution[i] /= factor[i][i]
            for k in 0..<i { solution[k] -= factor[i][k] * solution[i] }
        }
        return solution
    }

    /// 1 - (mean squared error) / (variance) on `heldOut`, coefficients and intercept being those of the data that were
    /// fitted. At most 1; negative where the mean of the held-out data would have been better. Constants are predicted
    /// if they come out right.
    package func determination(of target: Target, on heldOut: StreamingCovariance) -> Double {
        // The error is a mixture too: of target and predictors, less the intercept.
        let coefficients = coefficients(of: target)
        let variables = target.variables + predictors
        let weights = target.weights + coefficients.map { -$0 }
        func moments(_ variables: [Int], _ weights: [Double]) -> Double {
            var sum = 0.0
            for (i, one) in zip(variables, weights) {
                for (j, other) in zip(variables, weights) { sum += one * other * heldOut.covariance(i, j) }
            }
            return max(0, sum)
        }
        let bias = zip(variables, weights).reduce(0) {
            $0 + $1.1 * (heldOut.means[$1.0] - fit.means[$1.0])
        }
        let error = moments(variables, weights) + bias * bias
        let variance = moments(target.variables, target.weights)
        guard variance > 0 else { return error <= 1e-12 ? 1 : 0 }
        return 1 - error / variance
    }
}
