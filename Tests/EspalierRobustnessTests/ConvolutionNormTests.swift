import EspalierGraphs
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct ConvolutionNormTests {
    /// On three numbers, the circular convolution with [1, -1] has norm 1.732: with zeros around it is more.
    @Test func zeroPaddingIsNotCircular() throws {
        let dense = try DenseOperator(
            "Conv", attributes: ["pads": .ints([1, 0])],
            inputs: [.varying([1, 1, 3]), .constant([1, 1, 2], [1, -1])])
        let found = try dense.check("[1, -1] on 3")
        // A bidiagonal Toeplitz matrix: 2 cos(pi / 7).
        #expect(abs(dense.norm - 2 * cos(.pi / 7)) < 1e-14)
        #expect(found.lower > 3.0.squareRoot())
        #expect(abs(found.lower - 1.8019377) < 1e-6)
        // Both sides padded: four differences.
        let wide = try DenseOperator(
            "Conv", attributes: ["pads": .ints([1, 1])],
            inputs: [.varying([1, 1, 3]), .constant([1, 1, 2], [1, -1])])
        #expect(abs(wide.norm - 2 * cos(.pi / 8)) < 1e-14)
        try wide.check("[1, -1] on 3, padded on both sides")
    }

    /// Ones in a window of 3x3 on n x n: the square of the one-dimensional norm, 1 + 2 cos(pi / (n + 1)).
    @Test(arguments: [3, 7, 12])
    func windowsOfOnes(extent: Int) throws {
        let dense = try DenseOperator(
            "Conv", attributes: ["pads": .ints([1, 1, 1, 1])],
            inputs: [
                .varying([1, 1, extent, extent]), .constant([1, 1, 3, 3], [Float](repeating: 1, count: 9)),
            ])
        let found = try dense.check("ones on \(extent)")
        let line = 1 + 2 * cos(.pi / Double(extent + 1))
        #expect(abs(dense.norm - line * line) < 1e-12)
        // All sums of rows are at most 9, which the torus cannot be below: at 7 x 7, 11 % above the truth.
        #expect(abs(found.cheapUpper - 9) < 1e-9)
        #expect(found.proof == .cholesky)
        if extent == 7 { #expect(found.cheapUpper / dense.norm > 1.1) }
    }

    private struct Case {
        var attributes: [String: Attribute] = [:]
        var input: Shape = []
        var weight: Shape = []
    }

    /// Odd extents, strides, dilations, groups, paddings that differ from side to side and exceed the kernel, one to three
    /// axes.
    private func randomCase(_ random: inout RandomSource) -> Case {
        while true {
            let axes = [1, 2, 2, 2, 3][Int.random(in: 0..<5, using: &random)]
            let groups = Int.random(in: 1...3, using: &random)
            let inputs = Int.random(in: 1...2, using: &random)
            let outputs = Int.random(in: 1...3, using: &random)
            func draw(_ range: ClosedRange<Int>) -> [Int] {
                (0..<axes).map { _ in Int.random(in: range, using: &random) }
            }
            let extents = draw(axes == 1 ? 1...11 : axes == 2 ? 1...6 : 1...3)
            let kernel = draw(1...(axes == 3 ? 2 : 4))
            let (strides, dilations) = (draw(1...3), draw(1...2))
            let (before, after) = (draw(0...2), draw(0...3))
            let fits = (0..<axes).allSatisfy { axis in
                let padded: Int = extents[axis] + before[axis] + after[axis]
                let span: Int = (kernel[axis] - 1) * dilations[axis] + 1
                return padded >= span
            }
            guard fits, groups * inputs * extents.reduce(1, *) <= 120 else { continue }
            func ints(_ values: [Int]) -> Attribute { .ints(values.map { Int64($0) }) }
            return Case(
                attributes: [
                    "group": .int(Int64(groups)), "strides": ints(strides), "dilations": ints(dilations),
                    "pads": ints(before + after),
                ],
                input: Shape([1, groups * inputs] + extents),
                weight: Shape([groups * outputs, inputs] + kernel))
        }
    }

    @Test(arguments: 0..<20)
    func randomConvolutions(seed: UInt64) throws {
        var random = RandomSource(seed: seed).split("convolutions")
        for index in 0..<25 {
            let drawn = randomCase(&random)
            let dense = try DenseOperator(
                "Conv", attributes: drawn.attributes,
                inputs: [.varying(drawn.input), .random(drawn.weight, seed: random.next())])
            try dense.check("seed \(seed), case \(index): \(drawn)")
        }
    }

    @Test(arguments: 0..<8)
    func randomAveragePools(seed: UInt64) throws {
        var random = RandomSource(seed: seed).split("pools")
        for index in 0..<10 {
            let kernel = (0..<2).map { _ in Int.random(in: 1...3, using: &random) }
            let pads = (0..<4).map { Int64(Int.random(in: 0..<kernel[$0 % 2], using: &random)) }
            let strides = (0..<2).map { _ in Int64.random(in: 1...3, using: &random) }
            let (ceiling, counting) = (Int64(random.next() % 2), Int64(random.next() % 2))
            let attributes: [String: Attribute] = [
                "kernel_shape": .ints(kernel.map { Int64($0) }), "pads": .ints(pads),
                "strides": .ints(strides),
                "ceil_mode": .int(ceiling), "count_include_pad": .int(counting),
            ]
            let extents = kernel.map { Int.random(in: $0...7, using: &random) }
            let dense = try DenseOperator(
                "AveragePool", opset: 19, attributes: attributes, inputs: [.varying(Shape([1, 2] + extents))])
            try dense.check("seed \(seed), case \(index): \(extents) \(attributes)")
        }
    }

    /// Permuting channels changes nothing, scaling the filters scales, and a transposed image with transposed filters
    /// is the same.
    @Test(arguments: 0..<10)
    func invariances(seed: UInt64) throws {
        let shape: Shape = [4, 3, 3, 2]
        let weight = Tensor.random(shape, seed: seed)
        func norm(
            _ weight: Tensor, _ extents: [Int] = [5, 8], pads: [Int64] = [1, 0, 2, 1]
        ) throws -> OperatorNorm {
            try DenseOperator(
                "Conv", attributes: ["pads": .ints(pads), "strides": .ints([1, 1])],
                inputs: [.varying(Shape([1, 3] + extents)), ValueFacts(constant: weight)]
            ).check("seed \(seed)")
        }
        let found = try norm(weight)
        let elements = weight.scalars(as: Float.self)
        func close(_ other: OperatorNorm, factor: Double = 1) {
            #expect(abs(other.lower - factor * found.lower) < 1e-4 * other.lower)
            #expect(abs(other.cheapUpper - factor * found.cheapUpper) < 1e-9 * other.cheapUpper)
            #expect(abs(other.maximum - factor * found.maximum) < 1e-12 * other.maximum)
        }
        close(try norm(Tensor(shape: shape, scalars: elements.map { 4 * $0 })), factor: 4)
        let filter = 18
        let reversed = (0..<4).reversed().flatMap { elements[($0 * filter)..<(($0 + 1) * filter)] }
        close(try norm(Tensor(shape: shape, scalars: reversed)))
        var swapped = elements
        var mirrored = elements
        for channel in 0..<12 {
            let (output, input) = channel.quotientAndRemainder(dividingBy: 3)
            for tap in 0..<6 {
                swapped[output * filter + (2 - input) * 6 + tap] = elements[channel * 6 + tap]
                mirrored[channel * 6 + tap % 2 * 3 + tap / 2] = elements[channel * 6 + tap]
            }
        }
        close(try norm(Tensor(shape: shape, scalars: swapped)))
        close(
            try norm(Tensor(shape: [4, 3, 2, 3], scalars: mirrored), [8, 5], pads: [0, 1, 1, 2]))
    }

    /// Nothing below the norm can be proved, and everything a little above it can, on either side of the map.
    @Test(arguments: 0..<12)
    func certificatesAreSharp(seed: UInt64) throws {
        let wide = seed % 2 == 0
        let dense = try DenseOperator(
            "Conv", attributes: ["pads": .ints([1, 1, 1, 1]), "strides": .ints([1, wide ? 1 : 2])],
            inputs: [
                .varying([1, wide ? 2 : 3, 5, 6]), .random([wide ? 4 : 2, wide ? 2 : 3, 3, 3], seed: seed),
            ])
        let gram = try #require(GramMatrix(dense.map))
        #expect(gram.side == (wide ? .input : .output))
        let sums = AbsoluteSums(dense.map)
        for factor in [0.5, 0.99, 1 - 1e-9] {
            #expect(CholeskyCertificate.upperBound(gram, at: factor * dense.norm, sums: sums) == nil)
        }
        for factor in [1 + 1e-9, 1.01] {
            let bound = try #require(
                CholeskyCertificate.upperBound(gram, at: factor * dense.norm, sums: sums))
            #expect(bound >= dense.norm && bound < factor * dense.norm * (1 + 1e-10))
        }
    }

    /// A batch is many equal blocks, a depthwise convolution as many different ones as channels.
    @Test func blocks() throws {
        let weight = Tensor.random([5, 1, 3, 3], seed: 3)
        let attributes: [String: Attribute] = ["group": .int(5), "pads": .ints([1, 1, 1, 1])]
        let all = try DenseOperator(
            "Conv", attributes: attributes,
            inputs: [.varying([2, 5, 4, 3]), ValueFacts(constant: weight)]
        ).check("depthwise")
        let elements = weight.scalars(as: Float.self)
        let singles = try (0..<5).map { channel in
            try DenseOperator(
                "Conv", attributes: ["pads": .ints([1, 1, 1, 1])],
                inputs: [
                    .varying([1, 1, 4, 3]),
                    .constant([1, 1, 3, 3], Array(elements[(channel * 9)..<((channel + 1) * 9)])),
                ]
            ).check("channel \(channel)")
        }
        #expect(abs(all.lower - (singles.map(\.lower).max() ?? 0)) < 1e-4 * all.lower)
        #expect(all.maximum == singles.map(\.maximum).max())
    }

    /// Without a factorisation there still is a bound, and it says what it rests on.
    @Test func cheapBoundsNeedNoFactorisation() throws {
        let dense = try DenseOperator(
            "Conv", attributes: ["pads": .ints([1, 1, 1, 1]), "strides": .ints([2, 2])],
            inputs: [.varying([1, 3, 9, 9]), .random([4, 3, 3, 3], seed: 11)])
        let cheap = try OperatorNorm(dense.map, effort: .cheap)
        #expect(cheap.proof == .torus)
        #expect(cheap.upper >= dense.norm && cheap.upper < 1.2 * dense.norm)
        #expect(cheap.lower == 0)
        let limited = try OperatorNorm(dense.map, effort: NormEffort(mostWork: 10, mostBytes: 1e9))
        #expect(limited.proof == .torus && limited.lower > 0.999 * dense.norm)
    }

    @Test func zerosHaveNoNorm() throws {
        let dense = try DenseOperator(
            "Conv",
            inputs: [.varying([1, 1, 4, 4]), .constant([2, 1, 2, 2], [Float](repeating: 0, count: 8))])
        let found = try OperatorNorm(dense.map)
        #expect(found.lower == 0 && found.upper < 1e-300 && found.maximum == 0)
    }
}
