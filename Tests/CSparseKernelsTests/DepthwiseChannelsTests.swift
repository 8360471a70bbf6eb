import CSparseKernels
import EspalierTensors
import Testing

/// Depthwise convolutions of channels that are innermost, in every instance, against those of whole planes.
struct DepthwiseChannelsTests {
    @Test(arguments: InstructionSet.supported, [1, 16, 21, 70])
    func outputsAreThoseOfPlanes(set: InstructionSet, channels: Int) {
        for kernel in [3, 5] {
            for stride in [1, 2] {
                for width in [1, 2, 6, 7, 13] {
                    check(
                        set,
                        DepthwiseCase(
                            height: 9, width: width, kernel: (kernel, kernel), stride: (stride, stride),
                            padding: (1, kernel / 2, 2, kernel / 2), samples: 2, channels: channels,
                            multiplier: 1))
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func paddingLargerThanTheKernelLeavesTheBias(set: InstructionSet) {
        for kernel in [3, 5] {
            check(
                set,
                DepthwiseCase(
                    height: 2, width: 3, kernel: (kernel, kernel), padding: (6, 9, 7, 8), channels: 18,
                    multiplier: 1))
        }
    }

    @Test(arguments: InstructionSet.supported)
    func notANumberReachesTheOutputsThatSeeItOnly(set: InstructionSet) {
        var test = DepthwiseCase(
            height: 6, width: 12, kernel: (3, 3), padding: (1, 1, 1, 1), samples: 1, channels: 5)
        test.multiplier = 1
        var random = RandomSource(seed: 2)
        for position in [0, 11, 2 * 12 + 4, 5 * 12, 5 * 12 + 11] {
            var operands = test.operands(&random)
            operands.input[2 * test.height * test.width + position] = .nan
            operands.activation.function = ESPALIER_ACTIVATION_RELU
            let found = planes(test, output(set, test, operands))
            let expected = test.reference(operands)
            #expect(zip(found, expected).allSatisfy { $0.isNaN == $1.sum.isNaN })
            #expect(found.contains { $0.isNaN })
        }
    }

    @Test func onlySquareKernelsHaveLoops() {
        for kernel in [(3, 5), (1, 1), (4, 4)] {
            var geometry = DepthwiseCase(height: 9, width: 9, kernel: kernel).raw
            #expect(!espalier_depthwise_channels_supports(&geometry))
        }
    }

    private func check(_ set: InstructionSet, _ test: DepthwiseCase) {
        var random = RandomSource(seed: 1)
        for _ in 0..<2 {
            var operands = test.operands(&random)
            operands.activation.function = ESPALIER_ACTIVATION_CLIP
            let found = planes(test, output(set, test, operands))
            let wrong = zip(found, test.reference(operands)).filter { found, expected in
                let activated = max(-0.25, min(0.5, expected.sum))
                return !(abs(Double(found) - activated) <= 2e-6 * (expected.magnitude + 1))
            }
            #expect(wrong.isEmpty, "\(wrong.count) wrong: \(test)")
        }
    }

    /// The output, channels innermost, of two ranges of units, the later one first.
    private func output(
        _ set: InstructionSet, _ test: DepthwiseCase, _ operands: DepthwiseCase.Operands
    ) -> [Float] {
        var geometry = test.raw
        #expect(espalier_depthwise_channels_supports(&geometry))
        var packed = [Float](repeating: .nan, count: espalier_depthwise_channels_packed_floats(&geometry))
        espalier_depthwise_channels_pack(&geometry, operands.weights, &packed)
        let input = transposed(operands.input, test.samples, test.channels, test.height * test.width)
        let positions = test.outputHeight * test.outputWidth
        let bias = operands.bias ?? [Float](repeating: 0, count: test.channels)
        let residual = operands.residual.map { transposed($0, test.samples, test.channels, positions) }
        let units = espalier_depthwise_channels_units(&geometry)
        // One element more, to see that nothing is written past the end.
        var output = [Float](repeating: 7, count: test.outputs + 1)
        bias.withUnsafeBufferPointer { bias in
            (residual ?? []).withUnsafeBufferPointer { values in
                var epilogue = espalier_epilogue(
                    bias: bias.baseAddress, residual: residual == nil ? nil : values.baseAddress,
                    activation: operands.activation)
                for range in [units / 2..<units, 0..<units / 2] {
                    espalier_depthwise_channels_convolution(
                        set.raw, &geometry, input, packed, &output, &epilogue, range.lowerBound,
                        range.upperBound)
                }
            }
        }
        #expect(output.last == 7, "written past the end")
        return output.dropLast()
    }

    /// An output whose channels are innermost, as planes.
    private func planes(_ test: DepthwiseCase, _ output: [Float]) -> [Float] {
        transposed(output, test.samples, test.outputHeight * test.outputWidth, test.channels)
    }

    /// A copy of [samples, rows, columns] as [samples, columns, rows].
    private func transposed(_ values: [Float], _ samples: Int, _ rows: Int, _ columns: Int) -> [Float] {
        var copy = values
        for index in values.indices {
            let (line, column) = index.quotientAndRemainder(dividingBy: columns)
            let (sample, row) = line.quotientAndRemainder(dividingBy: rows)
            copy[(sample * columns + column) * rows + row] = values[index]
        }
        return copy
    }
}
