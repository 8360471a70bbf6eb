/// A first-order optimiser on flat memory: all parameters of a network in one array, their gradients in another.
///
/// A new optimiser is one file with one conforming struct, whose stored properties are its hyperparameters (the
/// learning rate is not among them: a ``LearningRateSchedule`` gives it anew at every step), plus one line in
/// ``Optimizers``. What it remembers between steps lives in an ``OptimizerState``, by name, so that checkpoints,
/// resets and masks need to know nothing about it.
package protocol Optimizer: Codable, Sendable {
    /// The name by which it is chosen.
    static var name: String { get }

    /// With the field's usual hyperparameters and this weight decay.
    init(weightDecay: Double)

    /// The highest learning rate to try first, from experience with the small networks of this package.
    static var usualLearningRate: Double { get }

    /// The names of the arrays, each as long as the parameters and zero at first, which it keeps between steps.
    var stateNames: [String] { get }

    /// Updates the weights and the state of `slice` by one step.
    ///
    /// Elementwise: slices may be updated in any order, also at the same time. Where the slice's mask is zero, weight
    /// and state become exactly zero whatever the gradient is.
    func update(_ slice: ParameterSlice, step: OptimizerStep)
}

/// What an optimiser is told about one step.
package struct OptimizerStep: Sendable {
    /// 1 for the first step since the state was zero.
    package var number: Int
    package var learningRate: Double
    /// Multiplies gradients before anything else is done with them.
    package var gradientScale: Double
    /// Multiplies the optimiser's weight decay: 0 for biases and normalisation by convention.
    package var weightDecayMultiplier: Double

    package init(
        number: Int, learningRate: Double, gradientScale: Double = 1, weightDecayMultiplier: Double = 1
    ) {
        self.number = number
        self.learningRate = learningRate
        self.gradientScale = gradientScale
        self.weightDecayMultiplier = weightDecayMultiplier
    }
}

/// A range of the flat parameters with everything that belongs to it.
package struct ParameterSlice {
    package let count: Int
    package let weights: UnsafeMutablePointer<Float>
    package let gradients: UnsafePointer<Float>
    /// One byte per weight, 0 where it is pruned; nil if none is.
    package let mask: UnsafePointer<UInt8>?
    private let states: UnsafeMutablePointer<Float>?
    private let stateStride: Int

    /// - Parameters:
    ///   - states: where the slice begins in the first state array; nil for an optimiser without state.
    ///   - stateStride: the distance from one state array to the next, in elements.
    package init(
        count: Int, weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        mask: UnsafePointer<UInt8>? = nil, states: UnsafeMutablePointer<Float>? = nil, stateStride: Int = 0
    ) {
        self.count = count
        self.weights = weights
        self.gradients = gradients
        self.mask = mask
        self.states = states
        self.stateStride = stateStride
    }

    /// The slice of the state array at `position` in ``Optimizer/stateNames``.
    package func state(_ position: Int) -> UnsafeMutablePointer<Float>? {
        states.map { $0 + position * stateStride }
    }
}

/// All optimisers, one line each.
package enum Optimizers {
    package static let all: [any Optimizer.Type] = [
        StochasticGradientDescent.self,
        Adam.self,
        AdamW.self,
    ]

    /// The optimiser called `name`, or nil.
    package static func named(_ name: String) -> (any Optimizer.Type)? {
        all.first { $0.name == name }
    }
}
