import EspalierKernels

extension ScalarFunction {
    /// The function as oneDNN names it, or nil where the library at hand does not have it with these parameters.
    func dnn(alpha: Float, beta: Float) -> DNNElementwise? {
        let isVersion2 = DNNLibrary.majorVersion < 3
        return switch self {
        case .relu: .relu(negativeSlope: alpha)
        case .elu: .elu(alpha: alpha)
        case .tanh: .tanh
        case .logistic: .logistic
        case .hardSwish: alpha == 1 / 6 && beta == 0.5 ? .hardSwish : nil
        case .hardSigmoid: isVersion2 ? nil : .hardSigmoid(alpha: alpha, beta: beta)
        case .clip: .clip(alpha, beta)
        // Its soft_relu subtracts numbers of one size: below -15 no digit is right, and below -17 it is negative.
        case .softPlus: nil
        case .gelu: .geluErf
        case .geluTanh: .geluTanh
        case .abs: .abs
        case .squareRoot: .sqrt
        case .exp: .exp
        case .log: .log
        case .square: .square
        case .linear: .linear(scale: alpha, shift: beta)
        case .swish: .swish(alpha: alpha)
        case .mish: .mish
        }
    }
}

extension EpilogueStep {
    /// The step as an operation fused behind a primitive; the addend of a sum lies as the destination does. nil for steps that
    /// not every primitive takes.
    var postOperation: DNNPostOperation? {
        switch self {
        case .add: .binary(.add)
        case .addVector: nil
        case .function(let function, let alpha, let beta):
            function.dnn(alpha: alpha, beta: beta).map { .elementwise($0) }
        }
    }
}
