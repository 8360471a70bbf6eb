package import EspalierTensors

/// The capability of being applied to a value before it is stored: what may be fused into its producer.
package protocol Epilogue: Operator {
    /// The step, or nil if this particular node cannot be fused.
    func epilogueStep(_ signature: Signature) -> EpilogueStep?
}

/// One elementwise step on an output that is about to be stored.
package enum EpilogueStep: Hashable, Sendable {
    /// A function of one variable with up to two parameters.
    case function(ScalarFunction, alpha: Float, beta: Float)
    /// The sum with another value of the same shape, which becomes an additional last input of the fused kernel.
    case add
    /// The sum with a vector along the last axis, likewise an additional input.
    case addVector

    /// Whether the step has an operand, which the fused kernel gets as an input of its own.
    package var hasAddend: Bool { self == .add || self == .addVector }
}

/// Functions of one variable that kernels can fuse; alpha and beta as oneDNN defines them.
package enum ScalarFunction: String, Hashable, Sendable, CaseIterable {
    case relu, elu, tanh, logistic, hardSwish, hardSigmoid, clip, softPlus, gelu, geluTanh
    case abs, squareRoot, exp, log, square, linear, swish, mish
}

/// The capability of applying ``EpilogueStep``s in the kernel's own write.
package protocol EpilogueAccepting: Lowering {
    func accepts(_ step: EpilogueStep, signature: Signature) -> Bool
}

/// The capability of being, in inference, a scale and a shift per channel (axis 1): batch norm, and products and sums
/// with constants of that shape.
package protocol ChannelAffine: Operator {
    /// The map y = scale x + shift per channel of input 0, or nil if the constants it needs are not known.
    func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])?
}

/// The capability of absorbing a scale and a shift of its output's channels into its own constants.
package protocol ChannelAffineFolding: Operator {
    /// New values of the constant inputs, by port (a bias may be added where there was none); nil if not possible.
    func folding(scale: [Double], shift: [Double], signature: Signature) -> [Int: Tensor]?
}

extension Tensor {
    /// Every element times a factor by its row-major position, rounded once.
    ///
    /// Of `float32` without copies in between: a network's weights may take most of the memory there is.
    func multiplied(by factor: (Int) -> Double) -> Tensor {
        guard dtype == .float32 else {
            let products = scalars(as: Double.self).enumerated().map { $0.element * factor($0.offset) }
            return Tensor(shape: shape, scalars: products).converted(to: dtype)
        }
        var result = Tensor(zeros: shape)
        result.withUnsafeMutableScalars(of: Float.self) { products in
            withUnsafeScalars(of: Float.self) { elements in
                for index in elements.indices {
                    products[index] = Float(Double(elements[index]) * factor(index))
                }
            }
        }
        return result
    }
}
