extension ScalarFunction {
    /// The function at `x`: what ``EpilogueStep/function(_:alpha:beta:)`` means, in either precision.
    ///
    /// Parameters a function does not have are ignored. `softPlus` is ln(1 + exp(alpha x)) / alpha, `swish`
    /// x / (1 + exp(-alpha x)), `hardSwish` x clamp(alpha x + beta, 0, 1), `relu` has slope alpha below zero.
    package func value<Real: ReferenceReal>(_ x: Real, alpha: Real, beta: Real) -> Real {
        switch self {
        case .relu: x < 0 ? alpha * x : x
        case .elu: x < 0 ? alpha * Real.expMinusOne(x) : x
        case .tanh: .tanh(x)
        case .logistic: Self.logistic(x)
        case .hardSwish: x * Self.clamp(alpha * x + beta, 0, 1)
        case .hardSigmoid: Self.clamp(alpha * x + beta, 0, 1)
        case .clip: Self.clamp(x, alpha, beta)
        case .softPlus: Self.softPlus(alpha * x) / alpha
        case .gelu: x / 2 * (1 + .erf(x / Real(2).squareRoot()))
        case .geluTanh:
            x / 2 * (1 + .tanh((2 / Real.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .abs: x.magnitude
        case .squareRoot: x.squareRoot()
        case .exp: .exp(x)
        case .log: .log(x)
        case .square: x * x
        case .linear: alpha * x + beta
        case .swish: x * Self.logistic(alpha * x)
        case .mish: x * .tanh(Self.softPlus(x))
        }
    }

    /// 1 / (1 + exp(-x)), without overflow on either side.
    package static func logistic<Real: ReferenceReal>(_ x: Real) -> Real {
        if x >= 0 { return 1 / (1 + .exp(-x)) }
        let power = Real.exp(x)
        return power / (1 + power)
    }

    /// ln(1 + exp(x)), without overflow.
    package static func softPlus<Real: ReferenceReal>(_ x: Real) -> Real {
        x > 0 ? x + .log1p(.exp(-x)) : .log1p(.exp(x))
    }

    /// Not-a-number stays what it is.
    package static func clamp<Real: ReferenceReal>(_ x: Real, _ low: Real, _ high: Real) -> Real {
        x < low ? low : x > high ? high : x
    }
}
