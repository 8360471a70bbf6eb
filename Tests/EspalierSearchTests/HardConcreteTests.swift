import EspalierSearch
import EspalierTensors
import Foundation
import Testing

private let logAlphas = [-40, -6, -2.5, -1, 0, 0.4, 1, 2.2, 5, 40]

struct HardConcreteTests {
    private func difference(_ function: (Double) -> Double, at x: Double) -> Double {
        let step = 1e-5
        return (function(x + step) - function(x - step)) / (2 * step)
    }

    /// All three, on a fine grid of u; but for the kinks, where the gate begins to be clipped.
    @Test(arguments: logAlphas)
    func derivativesAreCentralDifferences(logAlpha: Double) {
        for step in 1..<400 {
            let uniform = Double(step) / 400
            func gate(_ x: Double) -> Double { HardConcrete.sample(logAlpha: x, uniform: uniform).value }
            let isClipped = [logAlpha - 1e-5, logAlpha, logAlpha + 1e-5].map { [0, 1].contains(gate($0)) }
            if Set(isClipped).count == 2 { continue }
            let derivative = HardConcrete.sample(logAlpha: logAlpha, uniform: uniform).derivative
            #expect(abs(derivative - difference(gate, at: logAlpha)) < 1e-9)
        }
        for function in [HardConcrete.testGate, HardConcrete.probabilityNonzero] {
            let found = difference({ function($0).value }, at: logAlpha)
            #expect(abs(function(logAlpha).derivative - found) < 1e-9)
        }
    }

    /// How often sampled gates are not zero, within five standard errors.
    @Test(arguments: [-6, -2.5, -1, 0, 0.4, 1, 2.2, 5], [UInt64(1), 2])
    func probabilityIsTheFrequency(logAlpha: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        let count = 200_000
        let nonzero = (0..<count).count { _ in
            HardConcrete.sample(logAlpha: logAlpha, uniform: random.uniform()).value > 0
        }
        let probability = HardConcrete.probabilityNonzero(logAlpha: logAlpha).value
        let standardError = (probability * (1 - probability) / Double(count)).squareRoot()
        #expect(abs(Double(nonzero) / Double(count) - probability) < 5 * standardError)
    }

    /// The gate is zero for u below 1 - P(z > 0), and above it is not.
    @Test(arguments: logAlphas.filter { abs($0) < 10 })
    func zeroBeginsAtTheQuantile(logAlpha: Double) {
        let one = HardConcrete.probabilityNonzero(logAlpha: -logAlpha).value
        let zero = 1 - HardConcrete.probabilityNonzero(logAlpha: logAlpha).value
        #expect(HardConcrete.sample(logAlpha: logAlpha, uniform: zero * (1 - 1e-9)).value == 0)
        #expect(HardConcrete.sample(logAlpha: logAlpha, uniform: zero * (1 + 1e-9)).value > 0)
        // The ends lie symmetrically about 1/2, so the gate is 1 as often as that of -ln a is 0.
        #expect(HardConcrete.sample(logAlpha: logAlpha, uniform: one * (1 + 1e-9)).value == 1)
        #expect(HardConcrete.sample(logAlpha: logAlpha, uniform: one * (1 - 1e-9)).value < 1)
    }

    /// The mean of the paths' derivatives is the derivative of the mean, both integrated over u.
    @Test(arguments: [-2.5, -1, 0, 0.4, 2.2])
    func pathsAreUnbiased(logAlpha: Double) {
        let count = 20_000
        func mean(_ function: (Double) -> Double) -> Double {
            (0..<count).reduce(0) { $0 + function((Double($1) + 0.5) / Double(count)) } / Double(count)
        }
        let derivative = mean { HardConcrete.sample(logAlpha: logAlpha, uniform: $0).derivative }
        func gate(_ x: Double) -> Double { mean { HardConcrete.sample(logAlpha: x, uniform: $0).value } }
        let step = 1e-2
        let found = (gate(logAlpha + step) - gate(logAlpha - step)) / (2 * step)
        #expect(abs(derivative - found) < 1e-4)
    }

    @Test func byHand() {
        // sigmoid(0) = 1/2 is in the middle of the stretched range, and of 0...1.
        #expect(abs(HardConcrete.testGate(logAlpha: 0).value - 0.5) < 1e-15)
        #expect(abs(HardConcrete.testGate(logAlpha: 0).derivative - 0.3) < 1e-15)
        #expect(abs(HardConcrete.sample(logAlpha: 0, uniform: 0.5).value - 0.5) < 1e-15)
        // 1 / (1 + 11^(-2/3)).
        #expect(abs(HardConcrete.probabilityNonzero(logAlpha: 0).value - 0.831_822_183_991_690_5) < 1e-12)
        // The test-time gate is zero up to ln(-gamma / zeta) = -ln 11.
        #expect(HardConcrete.testGate(logAlpha: -log(11) - 1e-9).value == 0)
        #expect(HardConcrete.testGate(logAlpha: -log(11) + 1e-9).value > 0)
    }

    @Test func extremes() {
        for logAlpha in [-800.0, -3, 0, 3, 800] {
            let (none, all) = (
                HardConcrete.sample(logAlpha: logAlpha, uniform: 0),
                HardConcrete.sample(logAlpha: logAlpha, uniform: 1)
            )
            #expect(none.value == 0 && none.derivative == 0)
            #expect(all.value == 1 && all.derivative == 0)
        }
        let far = HardConcrete.probabilityNonzero(logAlpha: -700)
        #expect(far.value > 0 && abs(far.derivative / far.value - 1) < 1e-12)
        #expect(HardConcrete.probabilityNonzero(logAlpha: 800).value == 1)
        #expect(HardConcrete.testGate(logAlpha: .nan).value.isNaN)
    }
}
