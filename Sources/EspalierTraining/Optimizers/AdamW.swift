/// Adam with decoupled weight decay (Loshchilov & Hutter 2019): the weight shrinks by rate times decay apart from the
/// gradient and its moments.
package struct AdamW: Optimizer {
    package static let name = "adamw"
    package static let usualLearningRate = 0.002

    package var moments: AdamMoments
    package var weightDecay: Double

    package init(moments: AdamMoments = AdamMoments(), weightDecay: Double = 0.01) {
        self.moments = moments
        self.weightDecay = weightDecay
    }

    package init(weightDecay: Double) {
        self.init(moments: AdamMoments(), weightDecay: weightDecay)
    }

    package var stateNames: [String] { AdamMoments.stateNames }

    package func update(_ slice: ParameterSlice, step: OptimizerStep) {
        let retention = 1 - step.learningRate * weightDecay * step.weightDecayMultiplier
        moments.update(slice, step: step, coupledDecay: 0, retention: retention)
    }
}
