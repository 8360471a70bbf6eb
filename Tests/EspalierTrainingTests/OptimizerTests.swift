import EspalierTensors
import EspalierTraining
import Testing

struct OptimizerTests {
    /// Runs an updater on arrays for as many steps as there are gradients.
    private static func run(
        _ updater: ParameterUpdater, weights: inout [Float], gradients: [[Float]], rate: Double,
        maximumNorm: Double? = nil
    ) {
        weights.withUnsafeMutableBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            for gradient in gradients {
                gradient.withUnsafeBufferPointer { gradient in
                    guard let gradient = gradient.baseAddress else { return }
                    updater.step(
                        weights: weights, gradients: gradient, learningRate: rate, maximumNorm: maximumNorm)
                }
            }
        }
    }

    private static func updater(
        _ optimizer: any Optimizer, count: Int, ranges: [ParameterRange]? = nil
    ) -> ParameterUpdater {
        ParameterUpdater(optimizer: optimizer, count: count, ranges: ranges ?? [ParameterRange(0..<count)])
    }

    @Test(arguments: OptimizerGolden.all)
    func stepsFollowPyTorch(golden: OptimizerGolden) {
        var weights = OptimizerGolden.start
        let updater = Self.updater(golden.optimizer, count: weights.count)
        Self.run(updater, weights: &weights, gradients: OptimizerGolden.gradients, rate: golden.learningRate)
        for (found, expected) in zip(weights, golden.weights) {
            #expect(abs(Double(found) - expected) < 3e-6 * max(1, abs(expected)))
        }
    }

    @Test func everyOptimizerIsFoundByItsName() {
        #expect(Set(Optimizers.all.map { $0.name }).count == Optimizers.all.count)
        for type in Optimizers.all { #expect(Optimizers.named(type.name) == type) }
        #expect(Optimizers.named("no-such") == nil)
    }

    @Test(arguments: [0, 1, 2])
    func masksHoldForWeightsAndState(which: Int) {
        let optimizer = Optimizers.all[which].init(weightDecay: 0.1)
        var weights: [Float] = (1...40).map(Float.init)
        let gradients: [[Float]] = (0..<5).map { (step: Int) in
            (0..<40).map { (position: Int) in Float((position * 7 + step) % 11) - 5 }
        }
        let updater = Self.updater(optimizer, count: 40)
        // Some training first, so that there is momentum to forget.
        Self.run(updater, weights: &weights, gradients: gradients, rate: 0.01)
        updater.setMask((0..<20).map { $0 % 3 == 0 }, at: 10..<30)
        Self.run(updater, weights: &weights, gradients: gradients, rate: 0.01)
        let state = updater.state.snapshot().map { $0.scalars(as: Float.self) }
        #expect(state.count == optimizer.stateNames.count)
        for position in 0..<40 {
            let isKept = position < 10 || position >= 30 || (position - 10) % 3 == 0
            #expect((weights[position] != 0) == isKept)
            for array in state { #expect((array[position] != 0) == isKept) }
        }
    }

    @Test func applyingAMaskZeroesWeightsAtOnce() {
        var weights: [Float] = [1, 2, 3]
        let updater = Self.updater(StochasticGradientDescent(), count: 3)
        updater.setMask([true, false], at: 1..<3)
        weights.withUnsafeMutableBufferPointer { weights in
            if let base = weights.baseAddress { updater.applyMask(to: base) }
        }
        #expect(weights == [1, 2, 0])
        updater.removeMasks()
        #expect(!updater.hasMask)
    }

    @Test(arguments: [0, 1, 2])
    func rangesHaveTheirOwnMultipliersAndTheRestStays(which: Int) {
        let optimizer = Optimizers.all[which].init(weightDecay: 0.5)
        var weights = [Float](repeating: 1, count: 12)
        let updater = Self.updater(
            optimizer, count: 12,
            ranges: [
                ParameterRange(0..<4), ParameterRange(4..<8, weightDecayMultiplier: 0),
                ParameterRange(8..<10, learningRateMultiplier: 0),
            ])
        let zeros = [Float](repeating: 0, count: 12)
        Self.run(updater, weights: &weights, gradients: [zeros, zeros], rate: 0.1)
        #expect(weights[0..<4].allSatisfy { $0 < 1 }, "weight decay shrinks")
        #expect(weights[4..<8].allSatisfy { $0 == 1 }, "no weight decay here")
        #expect(weights[8..<10].allSatisfy { $0 == 1 }, "a learning rate of zero")
        #expect(weights[10..<12].allSatisfy { $0 == 1 }, "not trained")
    }

    @Test func clippingScalesToTheNormAndIgnoresPrunedWeights() {
        let optimizer = StochasticGradientDescent(momentum: 0)
        let updater = Self.updater(optimizer, count: 4)
        updater.setMask([true, true, true, false], at: 0..<4)
        let gradients: [Float] = [3, 0, 4, 1000]
        #expect(gradients.withUnsafeBufferPointer { $0.baseAddress.map(updater.gradientNorm) } == 5)
        var weights: [Float] = [0, 0, 0, 0]
        Self.run(updater, weights: &weights, gradients: [gradients], rate: 1, maximumNorm: 1)
        #expect(abs(weights[0] + 0.6) < 1e-6 && abs(weights[2] + 0.8) < 1e-6 && weights[3] == 0)
        weights = [0, 0, 0, 0]
        Self.run(updater, weights: &weights, gradients: [gradients], rate: 1, maximumNorm: 50)
        #expect(weights == [-3, 0, -4, 0], "small gradients stay as they are")
    }

    @Test(arguments: [0, 1, 2])
    func stateRoundTripsBitForBit(which: Int) throws {
        let optimizer = Optimizers.all[which].init(weightDecay: 0.01)
        let gradients: [[Float]] = (0..<6).map { (step: Int) in
            (0..<21).map { (position: Int) in Float((position * 5 + step * 3) % 13) / 7 - 1 }
        }
        var straight = (0..<21).map { Float($0) / 3 }
        let reference = Self.updater(optimizer, count: 21)
        Self.run(reference, weights: &straight, gradients: gradients, rate: 0.03)

        var interrupted = (0..<21).map { Float($0) / 3 }
        let first = Self.updater(optimizer, count: 21)
        Self.run(first, weights: &interrupted, gradients: Array(gradients.prefix(2)), rate: 0.03)
        let second = Self.updater(optimizer, count: 21)
        try second.state.restore(first.state.snapshot(), stepCount: first.state.stepCount)
        Self.run(second, weights: &interrupted, gradients: Array(gradients.dropFirst(2)), rate: 0.03)
        #expect(interrupted.map(\.bitPattern) == straight.map(\.bitPattern))

        second.state.reset()
        #expect(second.state.stepCount == 0)
        #expect(second.state.snapshot().allSatisfy { $0.scalars(as: Float.self).allSatisfy { $0 == 0 } })
        #expect(throws: TrainingError.self) {
            try second.state.restore([Tensor(zeros: [3])], stepCount: 1)
        }
    }
}
