import CSparseKernels
import EspalierTensors
import Testing

/// Every instance of the sparse convolution against plain loops in double precision.
struct SparseConvolutionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var filters: Int
        var channels: Int
        var height: Int
        var width: Int
        var kernel: (Int, Int)
        var stride = (1, 1)
        var dilation = (1, 1)
        /// Above and to the left; below and to the right `tail` more than nothing.
        var padding = (0, 0)
        var tail = (0, 0)
        var groups = 1
        var samples = 1
        var density = 0.3
        var pattern = SparsePattern.anywhere
        var activation = Activation.none
        var residual = false
        var parts = 1

        var testDescription: String { "\(self)" }

        private func outputs(
            _ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ padding: Int
        ) -> Int {
            let room = extent + padding - (kernel - 1) * dilation - 1
            return room < 0 ? 0 : room / stride + 1
        }

        var geometry: espalier_sparse_geometry {
            espalier_sparse_geometry(
                samples: samples, channels: channels, height: height, width: width, kernel_height: kernel.0,
                kernel_width: kernel.1, stride_height: stride.0, stride_width: stride.1,
                dilation_height: dilation.0, dilation_width: dilation.1, padding_top: padding.0,
                padding_left: padding.1,
                output_height: outputs(height, kernel.0, stride.0, dilation.0, padding.0 + tail.0),
                output_width: outputs(width, kernel.1, stride.1, dilation.1, padding.1 + tail.1))
        }
    }

    private func check(_ set: InstructionSet, _ test: Case, seed: UInt64) {
        var geometry = test.geometry
        let positions = geometry.output_height * geometry.output_width
        let depth = test.channels / test.groups
        let taps = test.kernel.0 * test.kernel.1
        var random = RandomSource(seed: seed)
        let weights = test.pattern.weights(
            rows: test.filters, columns: depth * taps, density: test.density, &random)
        let input = random.floats(test.samples * test.channels * test.height * test.width)
        let bias = random.floats(test.filters)
        let residual = random.floats(test.samples * test.filters * positions)
        let packed = PackedMatrix(
            espalier_sparse_shape(
                rows: test.filters, groups: test.groups, channels: depth, taps: taps, columns: positions,
                row_parts: test.parts), weights)
        let tiles = espalier_sparse_convolution_tiles(packed.pointer, &geometry)
        var output = [Float](repeating: 7, count: residual.count + 1)
        residual.withUnsafeBufferPointer { residual in
            bias.withUnsafeBufferPointer { bias in
                var epilogue = test.activation.epilogue(
                    bias: bias.baseAddress, residual: test.residual ? residual.baseAddress : nil)
                let ranges = packed.ranges(
                    tiles: tiles, cut: random.integer(0...tiles), random.integer(0...packed.rowBlocks))
                withScratch(espalier_sparse_convolution_scratch(packed.pointer, &geometry)) { scratch in
                    withAligned(input) { input in
                        for range in ranges {
                            espalier_sparse_convolution(
                                set.raw, packed.pointer, &geometry, input, &output, &epilogue, range, scratch)
                        }
                    }
                }
            }
        }
        #expect(output.last == 7)
        var wrong = 0
        for sample in 0..<test.samples {
            for filter in 0..<test.filters {
                let first = filter / (test.filters / test.groups) * depth
                for position in 0..<positions {
                    let (y, x) = position.quotientAndRemainder(dividingBy: geometry.output_width)
                    let place = (sample * test.filters + filter) * positions + position
                    var sum = ExactSum()
                    sum.add(bias[filter])
                    if test.residual { sum.add(residual[place]) }
                    for channel in 0..<depth {
                        for tap in 0..<taps {
                            let (i, j) = tap.quotientAndRemainder(dividingBy: test.kernel.1)
                            let row = y * test.stride.0 + i * test.dilation.0 - test.padding.0
                            let column = x * test.stride.1 + j * test.dilation.1 - test.padding.1
                            guard (0..<test.height) ~= row, (0..<test.width) ~= column else { continue }
                            let plane = sample * test.channels + first + channel
                            sum.add(
                                weights[(filter * depth + channel) * taps + tap],
                                input[(plane * test.height + row) * test.width + column])
                        }
                    }
                    if !sum.matches(output[place], test.activation, terms: depth * taps) { wrong += 1 }
                }
            }
        }
        #expect(wrong == 0, "\(wrong) wrong of \(output.count - 1), seed \(seed)")
    }

    static let cases: [Case] = [
        // Pointwise, with every remainder of lines and samples side by side.
        Case(filters: 9, channels: 12, height: 7, width: 7, kernel: (1, 1)),
        Case(
            filters: 9, channels: 12, height: 7, width: 7, kernel: (1, 1), samples: 5, activation: .rectifier),
        Case(filters: 5, channels: 3, height: 1, width: 1, kernel: (1, 1), samples: 40, residual: true),
        Case(filters: 5, channels: 3, height: 2, width: 3, kernel: (1, 1), samples: 9),
        Case(filters: 9, channels: 12, height: 14, width: 14, kernel: (1, 1), samples: 2, residual: true),
        Case(filters: 4, channels: 5, height: 13, width: 11, kernel: (1, 1), stride: (2, 2)),
        Case(filters: 9, channels: 40, height: 12, width: 12, kernel: (1, 1), samples: 2, density: 0.1),
        // Of three by three, the widths of usual networks' last stages and less.
        Case(filters: 6, channels: 5, height: 14, width: 14, kernel: (3, 3), padding: (1, 1), tail: (1, 1)),
        Case(
            filters: 6, channels: 5, height: 7, width: 7, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            samples: 3),
        Case(
            filters: 6, channels: 5, height: 2, width: 2, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            samples: 7),
        Case(
            filters: 6, channels: 5, height: 14, width: 15, kernel: (3, 3), stride: (2, 2), padding: (1, 1),
            tail: (1, 0)),
        // Without padding the input is read in place, unless it is narrow.
        Case(filters: 6, channels: 5, height: 12, width: 19, kernel: (3, 3), samples: 2),
        Case(filters: 6, channels: 5, height: 12, width: 5, kernel: (3, 3)),
        Case(
            filters: 6, channels: 5, height: 19, width: 20, kernel: (2, 4), stride: (3, 1), dilation: (2, 3)),
        // Everything at once.
        Case(
            filters: 6, channels: 6, height: 11, width: 9, kernel: (3, 2), stride: (2, 3), dilation: (2, 1),
            padding: (3, 2), tail: (2, 3), groups: 3, samples: 2, activation: .hardSwish, residual: true),
        // Patches, whose strides have many remainders.
        Case(
            filters: 5, channels: 3, height: 20, width: 40, kernel: (5, 5), stride: (5, 5), activation: .gelu),
        // Depthwise, with several depth blocks, with several row blocks.
        Case(
            filters: 8, channels: 8, height: 9, width: 9, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            groups: 8),
        Case(
            filters: 10, channels: 60, height: 9, width: 12, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            density: 0.8),
        Case(
            filters: 70, channels: 4, height: 9, width: 12, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            parts: 3),
        // Rows in bands, which groups do not cut, and those beside them.
        Case(
            filters: 16, channels: 12, height: 14, width: 14, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            density: 0.4, pattern: .blocks(4, 1), residual: true),
        Case(
            filters: 30, channels: 30, height: 7, width: 7, kernel: (3, 3), padding: (1, 1), tail: (1, 1),
            groups: 3, samples: 2, density: 0.7, pattern: .blocks(4, 1)),
        Case(
            filters: 24, channels: 16, height: 9, width: 9, kernel: (3, 3), stride: (2, 2), padding: (1, 1),
            tail: (1, 1), pattern: .among(2, of: 4)),
        // Padding that is all there is.
        Case(filters: 3, channels: 2, height: 2, width: 2, kernel: (3, 3), padding: (4, 4), tail: (4, 4)),
        Case(filters: 3, channels: 2, height: 2, width: 2, kernel: (3, 3)),
    ]

    @Test(arguments: InstructionSet.supported, cases)
    func outputIsTheSumOverTaps(set: InstructionSet, test: Case) { check(set, test, seed: 1) }

    @Test(arguments: InstructionSet.supported, 0..<40 as Range<UInt64>)
    func anyGeometryIsRight(set: InstructionSet, seed: UInt64) {
        var random = RandomSource(seed: seed)
        func pair(_ range: ClosedRange<Int>) -> (Int, Int) { (random.integer(range), random.integer(range)) }
        let groups = random.integer(1...2)
        check(
            set,
            Case(
                filters: groups * random.integer(1...8), channels: groups * random.integer(1...6),
                height: random.integer(1...20), width: random.integer(1...20), kernel: pair(1...4),
                stride: pair(1...3), dilation: pair(1...2), padding: pair(0...3), tail: pair(0...3),
                groups: groups, samples: random.integer(1...3), density: random.uniform(),
                pattern: .random(using: &random) ? .anywhere : .blocks(4, 1),
                activation: Activation.allCases.randomElement(using: &random)!,
                residual: .random(using: &random),
                parts: random.integer(0...3)),
            seed: seed)
    }
}
