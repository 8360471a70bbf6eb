package import EspalierTensors

/// A loss that is -ln p(target | outputs) up to a constant, so that the network has Fisher information and Gauss-Newton
/// curvature.
///
/// For both losses here the curvature of a sample's loss by its outputs does not depend on the target, and is the Fisher
/// information of the outputs: H = E[d d^T], d the gradient by the outputs, over targets drawn from p. With J the outputs'
/// Jacobian by the parameters, J^T H J is the Fisher matrix and the generalised Gauss-Newton matrix at once (Martens 2020).
package protocol LikelihoodLoss: Loss {
    /// Writes one column of a factor U of the curvature H = U U^T, which has as many columns as there are outputs.
    ///
    /// - Parameters:
    ///   - outputs: of one sample, `columns` of them.
    ///   - gradient: where the column goes, `columns` numbers.
    func writeCurvatureFactor(
        _ column: Int, outputs: UnsafePointer<Float>, columns: Int, into gradient: UnsafeMutablePointer<Float>
    )

    /// Writes the gradient of one sample's loss by its outputs for a target drawn from p(target | outputs).
    func writeSampledGradient(
        outputs: UnsafePointer<Float>, columns: Int, random: inout RandomSource,
        into gradient: UnsafeMutablePointer<Float>
    )
}

extension CrossEntropy: LikelihoodLoss {
    // H = diag(p) - p p^T = sum over classes c of p_c (p - e_c)(p - e_c)^T. Smoothing shifts targets, not curvature.
    package func writeCurvatureFactor(
        _ column: Int, outputs: UnsafePointer<Float>, columns: Int, into gradient: UnsafeMutablePointer<Float>
    ) {
        let softmax = SoftmaxRow(outputs, count: columns)
        let scale = softmax.probability(column).squareRoot()
        for other in 0..<columns {
            gradient[other] = Float(scale * (softmax.probability(other) - (other == column ? 1 : 0)))
        }
    }

    package func writeSampledGradient(
        outputs: UnsafePointer<Float>, columns: Int, random: inout RandomSource,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        let softmax = SoftmaxRow(outputs, count: columns)
        var rest = random.uniform()
        var drawn = columns - 1
        for column in 0..<columns {
            rest -= softmax.probability(column)
            if rest < 0 {
                drawn = column
                break
            }
        }
        for column in 0..<columns {
            gradient[column] = Float(softmax.probability(column) - (column == drawn ? 1 : 0))
        }
    }
}

extension MeanSquaredError: LikelihoodLoss {
    // A mean over K outputs is -ln p of a normal distribution of variance K / 2: H = 2 / K times the identity.
    package func writeCurvatureFactor(
        _ column: Int, outputs: UnsafePointer<Float>, columns: Int, into gradient: UnsafeMutablePointer<Float>
    ) {
        gradient.update(repeating: 0, count: columns)
        gradient[column] = Float((2 / Double(columns)).squareRoot())
    }

    package func writeSampledGradient(
        outputs: UnsafePointer<Float>, columns: Int, random: inout RandomSource,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        let scale = (2 / Double(columns)).squareRoot()
        for column in 0..<columns { gradient[column] = Float(scale * random.normal()) }
    }
}
