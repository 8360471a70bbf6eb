import CSparseKernels
import EspalierTensors
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Depthwise convolutions, in every instance, against plain loops in double precision.
struct DepthwiseTests {
    /// Output rows and columns of 3 x 3 and 5 x 5 that leave every tail of registers and of rows computed at once.
    static let fastCases: [DepthwiseCase] = [3, 5].flatMap { kernel in
        [1, 2].flatMap { stride in
            [1, 2, 6, 7, 8, 9, 14, 15, 16, 17, 23, 24, 25, 31, 33, 56].map { width in
                DepthwiseCase(
                    height: width % 15 + 1, width: width, kernel: (kernel, kernel), stride: (stride, stride),
                    padding: (kernel / 2, kernel / 2, kernel / 2, kernel / 2))
            }
        }
    }

    /// Kernels, strides, dilations and paddings that take the general loops, in part or at all.
    static let otherCases: [DepthwiseCase] = [
        .init(height: 5, width: 6, kernel: (1, 1)),
        .init(height: 9, width: 33, kernel: (1, 7), padding: (0, 3, 0, 3)),
        .init(height: 9, width: 20, kernel: (4, 2), stride: (1, 3), padding: (1, 0, 2, 1)),
        .init(height: 20, width: 21, kernel: (3, 3), dilation: (2, 3), padding: (2, 3, 2, 3)),
        .init(height: 20, width: 21, kernel: (3, 3), stride: (2, 1), padding: (1, 1, 1, 1)),
        // As TensorFlow pads, and not at all.
        .init(height: 14, width: 14, kernel: (3, 3), stride: (2, 2), padding: (0, 0, 1, 1)),
        .init(height: 28, width: 30, kernel: (5, 5), stride: (2, 2), padding: (1, 1, 2, 2)),
        .init(height: 11, width: 40, kernel: (3, 3)),
        // Paddings larger than the kernel, which alone some outputs see.
        .init(height: 3, width: 2, kernel: (3, 3), padding: (5, 6, 4, 9)),
        .init(height: 2, width: 1, kernel: (5, 5), stride: (2, 2), padding: (2, 20, 2, 20)),
        // Inputs smaller than the kernel; outputs without rows or columns.
        .init(height: 1, width: 1, kernel: (3, 3), padding: (1, 1, 1, 1)),
        .init(height: 1, width: 1, kernel: (5, 5), padding: (2, 2, 2, 2)),
        .init(height: 2, width: 9, kernel: (3, 3)),
        .init(height: 9, width: 2, kernel: (3, 3)),
        // Planes in parts, since whole ones do not stay in the first cache.
        .init(height: 50, width: 120, kernel: (3, 3), padding: (1, 1, 1, 1), channels: 1),
        .init(height: 40, width: 150, kernel: (3, 3), dilation: (2, 2), padding: (2, 2, 2, 2), channels: 1),
        .init(height: 7, width: 7, kernel: (3, 3), padding: (1, 1, 1, 1), channels: 90, multiplier: 1),
    ]

    @Test(arguments: InstructionSet.supported, fastCases + otherCases)
    func outputsAreSumsOverTaps(set: InstructionSet, geometry: DepthwiseCase) {
        var random = RandomSource(seed: 1)
        geometry.check(set, &random)
    }

    @Test(arguments: (1...200).map { UInt64($0) })
    func outputsOfRandomShapesAreSumsOverTaps(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func draw(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(random.next() % UInt64(range.count))
        }
        func pair(_ range: ClosedRange<Int>) -> (Int, Int) { (draw(range), draw(range)) }
        let fast = draw(0...2) > 0
        let (kernel, stride, most) = (draw(1...2) * 2 + 1, draw(1...2), draw(0...3) == 0 ? 9 : 2)
        let geometry = DepthwiseCase(
            height: draw(1...30), width: draw(1...70), kernel: fast ? (kernel, kernel) : pair(1...7),
            stride: fast ? (stride, stride) : pair(1...3), dilation: fast ? (1, 1) : pair(1...3),
            padding: (draw(0...most), draw(0...most), draw(0...most), draw(0...most)), samples: draw(1...2),
            channels: draw(1...4), multiplier: draw(1...2))
        for set in InstructionSet.supported { geometry.check(set, &random) }
    }

    @Test(arguments: InstructionSet.supported)
    func notANumberReachesTheOutputsThatSeeItOnly(set: InstructionSet) {
        for stride in [1, 2] {
            for kernel in [3, 5, 4] {
                let geometry = DepthwiseCase(
                    height: 20, width: 40, kernel: (kernel, kernel), stride: (stride, stride),
                    padding: (1, 1, 1, 1), samples: 1, channels: 3)
                var random = RandomSource(seed: 2)
                for position in [0, 39, 5 * 40 + 17, 19 * 40, 19 * 40 + 39] {
                    var operands = geometry.operands(&random)
                    operands.input[geometry.height * geometry.width + position] = .nan
                    operands.activation.function = ESPALIER_ACTIVATION_RELU
                    let found = geometry.output(set, operands)
                    let expected = geometry.reference(operands)
                    #expect(zip(found, expected).allSatisfy { $0.isNaN == $1.sum.isNaN })
                    #expect(found.contains { $0.isNaN })
                }
            }
        }
    }
}

/// A depthwise convolution's geometry.
struct DepthwiseCase: Sendable, CustomTestStringConvertible {
    var height: Int
    var width: Int
    var kernel: (height: Int, width: Int)
    var stride: (height: Int, width: Int) = (1, 1)
    var dilation: (height: Int, width: Int) = (1, 1)
    var padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0)
    var samples = 2
    var channels = 3
    var multiplier = 2

    /// The numbers it takes.
    struct Operands {
        var input: [Float]
        var weights: [Float]
        var bias: [Float]?
        var residual: [Float]?
        var activation: espalier_activation
    }

    var outputHeight: Int {
        let room = height + padding.top + padding.bottom - (kernel.height - 1) * dilation.height - 1
        return room < 0 ? 0 : room / stride.height + 1
    }
    var outputWidth: Int {
        let room = width + padding.left + padding.right - (kernel.width - 1) * dilation.width - 1
        return room < 0 ? 0 : room / stride.width + 1
    }
    var planes: Int { samples * channels * multiplier }
    var outputs: Int { planes * outputHeight * outputWidth }

    var testDescription: String {
        "\(height)x\(width) \(kernel) stride \(stride) dilation \(dilation) padding \(padding) "
            + "\(samples) samples \(channels) channels times \(multiplier)"
    }

    var raw: espalier_sparse_geometry {
        espalier_sparse_geometry(
            samples: samples, channels: channels, height: height, width: width, kernel_height: kernel.height,
            kernel_width: kernel.width, stride_height: stride.height, stride_width: stride.width,
            dilation_height: dilation.height, dilation_width: dilation.width, padding_top: padding.top,
            padding_left: padding.left, output_height: outputHeight, output_width: outputWidth)
    }

    func operands(_ random: inout RandomSource) -> Operands {
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform(in: -1...1) } }
        return Operands(
            input: numbers(samples * channels * height * width),
            weights: numbers(channels * multiplier * kernel.height * kernel.width),
            bias: random.next() % 3 > 0 ? numbers(channels * multiplier) : nil,
            residual: random.next() % 3 > 0 ? numbers(outputs) : nil,
            activation: espalier_activation(
                function: espalier_activation_function(UInt32(random.next() % 5)), lower: -0.25, upper: 0.5))
    }

    /// The output, of two ranges of planes, the later one first; in place of the residual if `replacing`.
    func output(
        _ set: InstructionSet, _ operands: Operands, split: Int = 0, replacing: Bool = false
    ) -> [Float] {
        var raw = raw
        let scratch = AlignedStorage(byteCount: max(1, espalier_depthwise_scratch(set.raw, &raw)))
        // One element more, to see that nothing is written past the end.
        var output = [Float](repeating: 7, count: outputs + 1)
        if replacing, let residual = operands.residual { output.replaceSubrange(0..<outputs, with: residual) }
        operands.bias.withOptionalPointer { bias in
            operands.residual.withOptionalPointer { residual in
                output.withUnsafeMutableBufferPointer { output in
                    var epilogue = espalier_epilogue(
                        bias: bias,
                        residual: replacing && residual != nil ? .init(output.baseAddress) : residual,
                        activation: operands.activation)
                    for range in [split..<planes, 0..<split] {
                        espalier_depthwise_convolution(
                            set.raw, &raw, multiplier, operands.input, operands.weights, output.baseAddress,
                            &epilogue, range.lowerBound, range.count, scratch.base)
                    }
                }
            }
        }
        #expect(output.last == 7, "written past the end")
        return output.dropLast()
    }

    /// The sums before the activation, with the sums of magnitudes, which bound rounding errors.
    func reference(_ operands: Operands) -> [(sum: Double, magnitude: Double)] {
        var results: [(Double, Double)] = []
        for plane in 0..<planes {
            let filter = plane % (channels * multiplier)
            let input = plane / multiplier * height * width
            for y in 0..<outputHeight {
                for x in 0..<outputWidth {
                    var terms = [
                        Double(operands.bias?[filter] ?? 0), Double(operands.residual?[results.count] ?? 0),
                    ]
                    for i in 0..<kernel.height {
                        let row = y * stride.height - padding.top + i * dilation.height
                        guard row >= 0, row < height else { continue }
                        for j in 0..<kernel.width {
                            let column = x * stride.width - padding.left + j * dilation.width
                            guard column >= 0, column < width else { continue }
                            terms.append(
                                Double(operands.weights[(filter * kernel.height + i) * kernel.width + j])
                                    * Double(operands.input[input + row * width + column]))
                        }
                    }
                    results.append((terms.reduce(0, +), terms.reduce(0) { $0 + $1.magnitude }))
                }
            }
        }
        return results
    }

    /// Compares the outputs for random operands with the reference.
    func check(_ set: InstructionSet, _ random: inout RandomSource) {
        let operands = operands(&random)
        let split = Int(random.next() % UInt64(planes + 1))
        let found = output(set, operands, split: split, replacing: random.next() % 2 == 0)
        let wrong = zip(found, reference(operands)).filter { found, expected in
            let activated = operands.activation.applied(to: expected.sum)
            return !(abs(Double(found) - activated) <= 1e-6 + 3e-6 * expected.magnitude)
        }
        #expect(wrong.isEmpty, "\(testDescription) \(operands.activation)")
    }
}

extension espalier_activation {
    /// Its value in double precision.
    fileprivate func applied(to x: Double) -> Double {
        switch function {
        case ESPALIER_ACTIVATION_RELU: max(x, 0)
        case ESPALIER_ACTIVATION_CLIP: min(max(x, Double(lower)), Double(upper))
        case ESPALIER_ACTIVATION_HARD_SWISH: x * min(max(x / 6 + 0.5, 0), 1)
        case ESPALIER_ACTIVATION_GELU: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        default: x
        }
    }
}

extension [Float]? {
    /// Calls `body` with the numbers, or with nil if there are none.
    fileprivate func withOptionalPointer<Result>(_ body: (UnsafePointer<Float>?) -> Result) -> Result {
        switch self {
        case .some(let numbers): numbers.withUnsafeBufferPointer { body($0.baseAddress) }
        case .none: body(nil)
        }
    }
}
