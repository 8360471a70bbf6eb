#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import EspalierTensors

extension Float: ReferenceReal {
    package static func exp(_ x: Float) -> Float { expf(x) }
    package static func expMinusOne(_ x: Float) -> Float { expm1f(x) }
    package static func log(_ x: Float) -> Float { logf(x) }
    package static func log1p(_ x: Float) -> Float { log1pf(x) }
    package static func tanh(_ x: Float) -> Float { tanhf(x) }
    package static func erf(_ x: Float) -> Float { erff(x) }
    package static func sin(_ x: Float) -> Float { sinf(x) }
    package static func cos(_ x: Float) -> Float { cosf(x) }
    package static func pow(_ x: Float, _ y: Float) -> Float { powf(x, y) }
}

extension Double: ReferenceReal {
    // Through local names: inside this extension the C functions are hidden by the requirements.
    package static func exp(_ x: Double) -> Double { CLibrary.exponential(x) }
    package static func expMinusOne(_ x: Double) -> Double { expm1(x) }
    package static func log(_ x: Double) -> Double { CLibrary.logarithm(x) }
    package static func log1p(_ x: Double) -> Double { CLibrary.logarithm1p(x) }
    package static func tanh(_ x: Double) -> Double { CLibrary.hyperbolicTangent(x) }
    package static func erf(_ x: Double) -> Double { CLibrary.errorFunction(x) }
    package static func sin(_ x: Double) -> Double { CLibrary.sine(x) }
    package static func cos(_ x: Double) -> Double { CLibrary.cosine(x) }
    package static func pow(_ x: Double, _ y: Double) -> Double { CLibrary.power(x, y) }
}

private enum CLibrary {
    static func exponential(_ x: Double) -> Double { exp(x) }
    static func logarithm(_ x: Double) -> Double { log(x) }
    static func logarithm1p(_ x: Double) -> Double { log1p(x) }
    static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
    static func errorFunction(_ x: Double) -> Double { erf(x) }
    static func sine(_ x: Double) -> Double { sin(x) }
    static func cosine(_ x: Double) -> Double { cos(x) }
    static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}
