import CSparseKernels
import EspalierTensors
import Testing

/// Every instance of the optimisers' kernels against plain loops in double precision.
struct OptimizerKernelTests {
    /// Lengths around every register's width, and a misaligned start.
    static let counts = [0, 1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 67]
    static let misalignment = 1

    private struct Arrays {
        var weights, gradients, first, second: [Float]
        var mask: [UInt8]

        init(count: Int, seed: UInt64) {
            var random = RandomSource(seed: seed)
            func numbers(_ range: ClosedRange<Float>) -> [Float] {
                (0..<(count + misalignment)).map { _ in random.uniform(in: range) }
            }
            weights = numbers(-1...1)
            gradients = numbers(-1...1)
            first = numbers(-1...1)
            second = numbers(0.01...1)
            mask = (0..<(count + misalignment)).map { _ in random.next() % 3 == 0 ? 0 : 1 }
        }
    }

    private static func expectClose(_ found: [Float], _ expected: [Double], _ comment: Comment) {
        for (found, expected) in zip(found.dropFirst(misalignment), expected) {
            #expect(abs(Double(found) - expected) <= 2e-6 * max(1, abs(expected)), comment)
        }
    }

    @Test(arguments: InstructionSet.supported, counts)
    func sgdMatchesPlainLoop(set: InstructionSet, count: Int) {
        for (momentum, nesterov, masked) in [
            (0, false, false), (0, false, true), (0.9, false, false), (0.9, false, true), (0.9, true, false),
            (0.9, true, true),
        ] as [(Float, Bool, Bool)] {
            var arrays = Arrays(count: count, seed: UInt64(count))
            let before = arrays
            var settings = espalier_sgd(
                gradient_scale: 0.5, learning_rate: 0.1, weight_decay: 0.01, momentum: momentum,
                nesterov: nesterov)
            arrays.weights.withUnsafeMutableBufferPointer { weights in
                arrays.first.withUnsafeMutableBufferPointer { first in
                    guard let weights = weights.baseAddress, let first = first.baseAddress else { return }
                    before.mask.withUnsafeBufferPointer { mask in
                        before.gradients.withUnsafeBufferPointer { gradients in
                            guard let mask = mask.baseAddress, let gradients = gradients.baseAddress else {
                                return
                            }
                            espalier_sgd_step(
                                set.raw, &settings, weights + Self.misalignment,
                                gradients + Self.misalignment,
                                momentum == 0 ? nil : first + Self.misalignment,
                                masked ? mask + Self.misalignment : nil, count)
                        }
                    }
                }
            }
            var weights: [Double] = []
            var velocities: [Double] = []
            for index in Self.misalignment..<(count + Self.misalignment) {
                let keep = masked && before.mask[index] == 0 ? 0.0 : 1.0
                let weight = Double(before.weights[index])
                let direction = 0.5 * Double(before.gradients[index]) + 0.01 * weight
                let velocity = Double(momentum) * Double(before.first[index]) + direction
                let step = nesterov ? direction + Double(momentum) * velocity : velocity
                weights.append(keep * (weight - 0.1 * step))
                velocities.append(momentum == 0 ? Double(before.first[index]) : keep * velocity)
            }
            Self.expectClose(arrays.weights, weights, "momentum \(momentum), nesterov \(nesterov)")
            Self.expectClose(arrays.first, velocities, "momentum \(momentum), nesterov \(nesterov)")
            #expect(arrays.weights[0] == before.weights[0], "nothing outside the range is written")
        }
    }

    @Test(arguments: InstructionSet.supported, counts)
    func adamMatchesPlainLoop(set: InstructionSet, count: Int) {
        for masked in [false, true] {
            var arrays = Arrays(count: count, seed: UInt64(count))
            let before = arrays
            var settings = espalier_adam(
                gradient_scale: 0.5, corrected_rate: 0.02, root_correction: 1.5, beta1: 0.9, beta2: 0.99,
                beta1_complement: 0.1, beta2_complement: 0.01, epsilon: 1e-6, coupled_decay: 0.03,
                retention: 0.95)
            arrays.weights.withUnsafeMutableBufferPointer { weights in
                arrays.first.withUnsafeMutableBufferPointer { first in
                    arrays.second.withUnsafeMutableBufferPointer { second in
                        before.mask.withUnsafeBufferPointer { mask in
                            before.gradients.withUnsafeBufferPointer { gradients in
                                guard let weights = weights.baseAddress, let first = first.baseAddress,
                                    let second = second.baseAddress, let mask = mask.baseAddress,
                                    let gradients = gradients.baseAddress
                                else { return }
                                let skip = Self.misalignment
                                espalier_adam_step(
                                    set.raw, &settings, weights + skip, gradients + skip, first + skip,
                                    second + skip, masked ? mask + skip : nil, count)
                            }
                        }
                    }
                }
            }
            var expected: (weights: [Double], first: [Double], second: [Double]) = ([], [], [])
            for index in Self.misalignment..<(count + Self.misalignment) {
                let keep = masked && before.mask[index] == 0 ? 0.0 : 1.0
                let weight = Double(before.weights[index])
                let direction = 0.5 * Double(before.gradients[index]) + 0.03 * weight
                let first = 0.9 * Double(before.first[index]) + 0.1 * direction
                let second = 0.99 * Double(before.second[index]) + 0.01 * direction * direction
                let root = second.squareRoot() * 1.5 + 1e-6
                expected.weights.append(keep * (0.95 * weight - 0.02 * first / root))
                expected.first.append(keep * first)
                expected.second.append(keep * second)
            }
            Self.expectClose(arrays.weights, expected.weights, "masked \(masked)")
            Self.expectClose(arrays.first, expected.first, "masked \(masked)")
            Self.expectClose(arrays.second, expected.second, "masked \(masked)")
        }
    }

    @Test(arguments: InstructionSet.supported)
    func maskedWeightsAreExactlyZeroWhateverTheGradient(set: InstructionSet) {
        var weights: [Float] = [1, -1, .infinity, 1, 1]
        let gradients: [Float] = [.nan, .infinity, 0, -.infinity, 1]
        var momentum: [Float] = [1, .nan, 1, 1, 1]
        let mask: [UInt8] = [0, 0, 0, 0, 1]
        var settings = espalier_sgd(
            gradient_scale: 1, learning_rate: 0.5, weight_decay: 0, momentum: 0, nesterov: false)
        espalier_sgd_step(set.raw, &settings, &weights, gradients, &momentum, mask, 5)
        #expect(weights == [0, 0, 0, 0, 0.5])
        #expect(momentum == [0, 0, 0, 0, 1])
        #expect(weights.prefix(4).allSatisfy { $0.bitPattern == 0 }, "not even a negative zero")
    }

    @Test(arguments: counts)
    func sumsOfSquaresHaveTheSameBitsOnEveryInstructionSet(count: Int) {
        var random = RandomSource(seed: UInt64(count))
        let values = (0..<count).map { _ in Float(random.normal()) }
        let mask = (0..<count).map { _ in UInt8(random.next() % 2) }
        let expected = zip(values, mask).reduce(0) { $0 + ($1.1 == 0 ? 0 : Double($1.0) * Double($1.0)) }
        let plain = values.reduce(0) { $0 + Double($1) * Double($1) }
        let portable = espalier_sum_of_squares(ESPALIER_ISA_PORTABLE, values, mask, count)
        #expect(abs(portable - expected) <= 1e-13 * max(1, expected))
        for set in InstructionSet.supported {
            #expect(espalier_sum_of_squares(set.raw, values, mask, count) == portable)
            #expect(
                abs(espalier_sum_of_squares(set.raw, values, nil, count) - plain) <= 1e-13 * max(1, plain))
        }
    }

    @Test func theActiveInstructionSetIsSupported() {
        #expect(espalier_isa_is_supported(espalier_isa_active()))
        #expect(InstructionSet.supported.contains { $0.raw == ESPALIER_ISA_PORTABLE })
    }
}
