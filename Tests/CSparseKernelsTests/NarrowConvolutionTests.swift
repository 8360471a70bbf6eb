import CSparseKernels
import EspalierTensors
import Testing

/// Every instance of the kernels for few channels, against plain loops in double precision.
struct NarrowConvolutionTests {
    struct Geometry: Sendable, CustomTestStringConvertible {
        var filters: Int
        var kernel: Int
        var height: Int
        var width: Int
        var stride = 1

        var outputHeight: Int { (height - kernel) / stride + 1 }
        var outputWidth: Int { (width - kernel) / stride + 1 }
        var taps: Int { kernel * kernel }
        var outputs: Int { outputHeight * outputWidth * filters }
        var testDescription: String {
            "\(filters) filters \(kernel)x\(kernel)/\(stride) on \(height)x\(width)"
        }

        /// Calls `body` with the geometry as C sees it, with one tap more that finds a plane of ones.
        func withRaw(ones: Bool, _ body: (UnsafePointer<espalier_narrow_convolution>) -> Void) {
            var offsets: [Int32] = []
            for row in 0..<kernel { for column in 0..<kernel { offsets.append(Int32(row * width + column)) } }
            offsets.append(Int32(height * width))
            offsets.withUnsafeBufferPointer { offsets in
                var raw = espalier_narrow_convolution(
                    offsets: offsets.baseAddress, taps: taps + (ones ? 1 : 0), filters: filters,
                    output_height: outputHeight, output_width: outputWidth, row_step: stride * width,
                    column_step: stride)
                body(&raw)
            }
        }
    }

    /// Widths that leave every tail of the tiles of positions, filters that leave every tail of the registers, and
    /// taps for every tile of them.
    static let geometries: [Geometry] =
        (1...25).map { Geometry(filters: $0 % 7 + 1, kernel: 2, height: 3, width: $0 + 1) }
        + [1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 64].map {
            Geometry(filters: $0, kernel: 3, height: 5, width: 6)
        }
        + (1...8).map { Geometry(filters: 18, kernel: $0, height: 9, width: 10) }
        + [Geometry(filters: 20, kernel: 3, height: 9, width: 12, stride: 2)]

    private func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in random.uniform(in: -1...1) }
    }

    private func padded(_ values: [Float], to count: Int) -> [Float] {
        values + [Float](repeating: 0, count: count - values.count)
    }

    @Test(arguments: InstructionSet.supported, geometries)
    func forwardIsTheSumOverTaps(set: InstructionSet, geometry: Geometry) {
        let input = numbers(geometry.height * geometry.width, 1)
        let weights = numbers(geometry.filters * geometry.taps, 2)
        let row = espalier_narrow_row(geometry.filters)
        let bias = padded(numbers(geometry.filters, 3), to: row)
        var packed = [Float](repeating: .nan, count: geometry.taps * row)
        espalier_narrow_pack(weights, &packed, geometry.filters, geometry.taps)
        for relu in [false, true] {
            // One element more, to see that nothing is written past the end.
            var output = [Float](repeating: 7, count: geometry.outputs + 1)
            geometry.withRaw(ones: false) {
                espalier_narrow_forward(set.raw, $0, input, packed, bias, relu, &output)
            }
            #expect(output.last == 7)
            for y in 0..<geometry.outputHeight {
                for x in 0..<geometry.outputWidth {
                    for filter in 0..<geometry.filters {
                        var sum = Double(bias[filter])
                        for tap in 0..<geometry.taps {
                            let (down, right) = tap.quotientAndRemainder(dividingBy: geometry.kernel)
                            let line = y * geometry.stride + down
                            sum +=
                                Double(weights[filter * geometry.taps + tap])
                                * Double(input[line * geometry.width + x * geometry.stride + right])
                        }
                        let found = output[(y * geometry.outputWidth + x) * geometry.filters + filter]
                        #expect(abs(Double(found) - (relu ? max(0, sum) : sum)) < 1e-4)
                    }
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported, geometries)
    func gradientIsTheSumOverPositions(set: InstructionSet, geometry: Geometry) {
        let plane = geometry.height * geometry.width
        let input = numbers(plane, 1) + [Float](repeating: 1, count: plane)
        let gradient = numbers(geometry.outputs, 2)
        let row = espalier_narrow_row(geometry.filters)
        // It adds to what is there.
        var sums = [Float](repeating: 0.5, count: (geometry.taps + 1) * row)
        geometry.withRaw(ones: true) {
            espalier_narrow_weights_gradient(set.raw, $0, input, gradient, &sums)
        }
        var weights = [Float](repeating: .nan, count: geometry.filters * (geometry.taps + 1))
        espalier_narrow_unpack(sums, &weights, geometry.filters, geometry.taps + 1)
        for filter in 0..<geometry.filters {
            for tap in 0...geometry.taps {
                let (down, right) = tap.quotientAndRemainder(dividingBy: geometry.kernel)
                var sum = 0.5
                for y in 0..<geometry.outputHeight {
                    for x in 0..<geometry.outputWidth {
                        let position =
                            (y * geometry.stride + down) * geometry.width + x * geometry.stride + right
                        let slope = gradient[(y * geometry.outputWidth + x) * geometry.filters + filter]
                        sum += Double(slope) * (tap == geometry.taps ? 1 : Double(input[position]))
                    }
                }
                let found = weights[filter * (geometry.taps + 1) + tap]
                #expect(abs(Double(found) - sum) < 1e-4)
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func rectificationKeepsNotANumber(set: InstructionSet) {
        let geometry = Geometry(filters: 1, kernel: 1, height: 1, width: 2)
        var output = [Float](repeating: 0, count: 2)
        let packed = padded([1], to: espalier_narrow_row(1))
        geometry.withRaw(ones: false) {
            espalier_narrow_forward(set.raw, $0, [.nan, -1], packed, nil, true, &output)
        }
        #expect(output[0].isNaN && output[1] == 0)
    }
}

/// Sums and squares of arrays.
struct AccumulationTests {
    @Test(arguments: InstructionSet.supported, [0, 1, 3, 4, 8, 15, 16, 17, 100])
    func loopsTouchTheirElementsOnly(set: InstructionSet, count: Int) {
        let source = (0..<count).map { Float($0) - 3 }
        let before = (0...count).map { Float($0) / 2 }
        var sum = before
        var squares = before
        var square = before
        espalier_add(set.raw, source, &sum, count)
        espalier_add_squares(set.raw, source, &squares, count)
        espalier_square(set.raw, source, &square, count)
        #expect(sum == before.indices.map { $0 < count ? before[$0] + source[$0] : before[$0] })
        #expect(
            squares == before.indices.map { $0 < count ? before[$0] + source[$0] * source[$0] : before[$0] })
        #expect(square == before.indices.map { $0 < count ? source[$0] * source[$0] : before[$0] })
    }
}
