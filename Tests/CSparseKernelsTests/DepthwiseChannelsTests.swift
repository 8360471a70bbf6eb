import CSparseKernels
import EspalierTensors
import Testing

/// Depthwise convolutions of channels in blocks, in every instance, against those of whole planes.
struct DepthwiseChannelsTests {
    @Test(arguments: InstructionSet.supported, [8, 16])
    func outputsAreThoseOfPlanes(set: InstructionSet, block: Int) {
        for kernel in [3, 5] {
            for stride in [1, 2] {
                for width in [1, 2, 6, 7, 13] {
                    check(
                        set, block,
                        DepthwiseCase(
                            height: 9, width: width, kernel: (kernel, kernel), stride: (stride, stride),
                            padding: (1, kernel / 2, 2, kernel / 2), samples: 2, channels: 21, multiplier: 1))
                }
            }
        }
    }

    @Test func onlySquareKernelsHaveLoops() {
        for kernel in [(3, 5), (1, 1), (4, 4)] {
            var geometry = DepthwiseCase(height: 9, width: 9, kernel: kernel).raw
            #expect(!espalier_depthwise_channels_supports(&geometry))
        }
    }

    private func check(_ set: InstructionSet, _ block: Int, _ test: DepthwiseCase) {
        var random = RandomSource(seed: 1)
        var operands = test.operands(&random)
        operands.residual = nil
        operands.activation.function = ESPALIER_ACTIVATION_CLIP
        var geometry = test.raw
        #expect(espalier_depthwise_channels_supports(&geometry))
        let blocks = (test.channels + block - 1) / block
        let bias = operands.bias ?? [Float](repeating: 0, count: test.channels)
        var packed = [Float](
            repeating: .nan, count: espalier_depthwise_channels_packed_floats(&geometry, block))
        espalier_depthwise_channels_pack(&geometry, block, operands.weights, bias, &packed)
        let positions = test.height * test.width
        var input = [Float](repeating: 0, count: test.samples * blocks * positions * block)
        for (index, value) in operands.input.enumerated() {
            let (plane, position) = index.quotientAndRemainder(dividingBy: positions)
            let (sample, channel) = plane.quotientAndRemainder(dividingBy: test.channels)
            input[((sample * blocks + channel / block) * positions + position) * block + channel % block] =
                value
        }
        let outputPositions = test.outputHeight * test.outputWidth
        // One element more, to see that nothing is written past the end.
        var output = [Float](repeating: 7, count: test.samples * blocks * outputPositions * block + 1)
        let scratchBytes = espalier_depthwise_channels_scratch(&geometry, block)
        var scratch = [Float](repeating: .nan, count: scratchBytes / MemoryLayout<Float>.stride)
        espalier_depthwise_channels_convolution(
            set.raw, &geometry, block, input, packed, &output, operands.activation, 0, test.samples * blocks,
            &scratch)
        #expect(output.last == 7)
        let expected = test.reference(operands)
        var wrong = 0
        for (index, sum) in expected.enumerated() {
            let (plane, position) = index.quotientAndRemainder(dividingBy: outputPositions)
            let (sample, channel) = plane.quotientAndRemainder(dividingBy: test.channels)
            let place = (sample * blocks + channel / block) * outputPositions + position
            let found = Double(output[place * block + channel % block])
            if abs(found - max(-0.25, min(0.5, sum.sum))) > 2e-6 * (sum.magnitude + 1) { wrong += 1 }
        }
        #expect(wrong == 0, "\(wrong) wrong of \(expected.count): \(test)")
    }
}
