import EspalierExecution
package import EspalierTraining

/// How far an optimiser's steps go, which is what the proximal step that follows each must be measured by.
package enum StepMetric {
    /// Every weight by the same length, per unit of gradient.
    case uniform(Double)
    /// Each weight by a length of its own, which are in the buffer.
    case diagonal
}

/// An optimiser whose steps a proximal step can follow. A new optimiser conforms here.
package protocol ProximalOptimizer: Optimizer {
    /// - Parameters:
    ///   - learningRate: of the step that was just made.
    ///   - buffer: filled for ``StepMetric/diagonal``, parallel to the parameters.
    func metric(
        _ updater: ParameterUpdater, learningRate: Double, into buffer: UnsafeMutableBufferPointer<Float>
    ) -> StepMetric
}

extension StochasticGradientDescent: ProximalOptimizer {
    package func metric(
        _ updater: ParameterUpdater, learningRate: Double, into buffer: UnsafeMutableBufferPointer<Float>
    ) -> StepMetric {
        .uniform(StepLength.heavyBall(learningRate: learningRate, momentum: momentum))
    }
}

extension Adam: ProximalOptimizer {
    package func metric(
        _ updater: ParameterUpdater, learningRate: Double, into buffer: UnsafeMutableBufferPointer<Float>
    ) -> StepMetric {
        moments.metric(updater, learningRate: learningRate, into: buffer)
    }
}

extension AdamW: ProximalOptimizer {
    package func metric(
        _ updater: ParameterUpdater, learningRate: Double, into buffer: UnsafeMutableBufferPointer<Float>
    ) -> StepMetric {
        moments.metric(updater, learningRate: learningRate, into: buffer)
    }
}

extension AdamMoments {
    fileprivate func metric(
        _ updater: ParameterUpdater, learningRate: Double, into buffer: UnsafeMutableBufferPointer<Float>
    ) -> StepMetric {
        guard let states = updater.state.base else { return .uniform(learningRate) }
        let secondMoment = UnsafeBufferPointer(start: states + updater.state.stride, count: updater.count)
        let correction = secondCorrection(after: updater.state.stepCount)
        AdamMetric.fill(
            buffer, secondMoment: secondMoment, correction: Float(correction),
            learningRate: Float(learningRate), epsilon: Float(epsilon))
        return .diagonal
    }
}
