import CSparseKernels

/// Adam (Kingma & Ba 2015), with bias correction; weight decay, if any, is added to the gradient.
///
/// m and v are running means of d = g + decay w and of its square; w <- w - rate mh / (sqrt(vh) + epsilon), where mh
/// and vh are corrected for having started from zero.
package struct Adam: Optimizer {
    package static let name = "adam"
    package static let usualLearningRate = 0.002

    package var moments: AdamMoments
    package var weightDecay: Double

    package init(moments: AdamMoments = AdamMoments(), weightDecay: Double = 0) {
        self.moments = moments
        self.weightDecay = weightDecay
    }

    package init(weightDecay: Double) {
        self.init(moments: AdamMoments(), weightDecay: weightDecay)
    }

    package var stateNames: [String] { AdamMoments.stateNames }

    package func update(_ slice: ParameterSlice, step: OptimizerStep) {
        moments.update(
            slice, step: step, coupledDecay: weightDecay * step.weightDecayMultiplier, retention: 1)
    }
}

/// What Adam and its relatives share: the decay rates of the two moments, and the step made of them.
package struct AdamMoments: Codable, Sendable {
    package static let stateNames = ["firstMoment", "secondMoment"]

    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double

    package init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    /// - Parameters:
    ///   - coupledDecay: weight decay that is added to the gradient.
    ///   - retention: what the weight is multiplied with before the step.
    func update(_ slice: ParameterSlice, step: OptimizerStep, coupledDecay: Double, retention: Double) {
        guard let firstMoment = slice.state(0), let secondMoment = slice.state(1) else { return }
        let firstCorrection = 1 - power(beta1, step.number)
        let secondCorrection = secondCorrection(after: step.number)
        var settings = espalier_adam(
            gradient_scale: Float(step.gradientScale),
            corrected_rate: Float(step.learningRate / firstCorrection),
            root_correction: Float(1 / secondCorrection.squareRoot()),
            beta1: Float(beta1), beta2: Float(beta2),
            beta1_complement: Float(1 - beta1), beta2_complement: Float(1 - beta2),
            epsilon: Float(epsilon), coupled_decay: Float(coupledDecay), retention: Float(retention))
        espalier_adam_step(
            espalier_isa_active(), &settings, slice.weights, slice.gradients, firstMoment, secondMoment,
            slice.mask, slice.count)
    }

    /// What the second moment is divided by after so many steps, for having started from zero: 1 - beta2^t.
    package func secondCorrection(after steps: Int) -> Double { 1 - power(beta2, steps) }

    /// By repeated squaring: the same bits on every platform.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var square = base
        var remaining = exponent
        while remaining > 0 {
            if remaining & 1 == 1 { result *= square }
            square *= square
            remaining >>= 1
        }
        return result
    }
}
