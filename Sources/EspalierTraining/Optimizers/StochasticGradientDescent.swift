import CSparseKernels

/// Stochastic gradient descent with heavy-ball momentum (Polyak 1964) or Nesterov's (in the form of Sutskever 2013).
///
/// As in PyTorch, the learning rate stands outside the velocity: d = g + decay w; v = momentum v + d;
/// w <- w - rate v, or with Nesterov w - rate (d + momentum v).
package struct StochasticGradientDescent: Optimizer {
    package static let name = "sgd"
    package static let usualLearningRate = 0.05
    package static let usualMomentum = 0.9

    package var momentum: Double
    package var isNesterov: Bool
    package var weightDecay: Double

    package init(
        momentum: Double = Self.usualMomentum, isNesterov: Bool = false, weightDecay: Double = 0
    ) {
        self.momentum = momentum
        self.isNesterov = isNesterov
        self.weightDecay = weightDecay
    }

    package init(weightDecay: Double) {
        self.init(momentum: Self.usualMomentum, weightDecay: weightDecay)
    }

    package var stateNames: [String] { momentum == 0 ? [] : ["momentum"] }

    package func update(_ slice: ParameterSlice, step: OptimizerStep) {
        var settings = espalier_sgd(
            gradient_scale: Float(step.gradientScale), learning_rate: Float(step.learningRate),
            weight_decay: Float(weightDecay * step.weightDecayMultiplier), momentum: Float(momentum),
            nesterov: isNesterov)
        espalier_sgd_step(
            espalier_isa_active(), &settings, slice.weights, slice.gradients,
            momentum == 0 ? nil : slice.state(0), slice.mask, slice.count)
    }
}
