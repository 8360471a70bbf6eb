/// The function between layers.
package enum Activation: String, Sendable, CaseIterable, Codable {
    case relu
    /// With slope 0.01 for negative arguments.
    case leakyRelu = "leaky-relu"
    /// The exact Gaussian error linear unit (needs ONNX operator set 20).
    case gelu

    package static let leakySlope: Float = 0.01
}

/// How weights that a gradient flows through are drawn. Biases are 0, normalisation is the identity.
package enum Initialization: String, Sendable, CaseIterable, Codable {
    /// Normal with variance 2 / fan-in (He 2015), less for a leaky activation; the output layer as `glorot`.
    case he
    /// Normal with variance 2 / (fan-in + fan-out) (Glorot & Bengio 2010).
    case glorot
}

/// What an architecture is built for.
package struct ArchitectureOptions: Sendable, Hashable {
    package var channels: Int
    package var height: Int
    package var width: Int
    package var classCount: Int
    package var activation: Activation
    package var initialization: Initialization
    /// Multiplies every hidden layer's number of channels, rounded, at least 1.
    package var widthMultiplier: Double
    /// The number of channels of single layers, by the name of the node that makes them; before the multiplier's.
    package var widths: [String: Int]
    /// Every parameter draws from its own stream of this seed, so that one layer's size does not change another's
    /// weights.
    package var seed: UInt64

    package init(
        channels: Int, height: Int, width: Int, classCount: Int, activation: Activation = .relu,
        initialization: Initialization = .he, widthMultiplier: Double = 1, widths: [String: Int] = [:],
        seed: UInt64 = 0
    ) {
        self.channels = channels
        self.height = height
        self.width = width
        self.classCount = classCount
        self.activation = activation
        self.initialization = initialization
        self.widthMultiplier = widthMultiplier
        self.widths = widths
        self.seed = seed
    }
}
