import EspalierExecution
import EspalierGraphs
import EspalierTensors
import Foundation
import Testing

/// Operators with kernels of our own for whole arrays, against their definition.
struct ArrayKernelTests {
    private static func run(
        _ type: String, _ input: Tensor, _ attributes: [String: Attribute] = [:], threads: Int = 1
    ) throws -> Tensor {
        var builder = GraphBuilder(name: type)
        let dimensions = input.shape.extents.map { Dimension.fixed($0) }
        let value = builder.input("x", type: ValueType(dtype: .float32, dimensions: dimensions))
        let output = builder.value("y")
        builder.add(type, inputs: [value], outputs: [output], attributes: attributes)
        var options = InferenceSession.Options()
        options.threads = threads
        let session = try InferenceSession(graph: try builder.finish(outputs: [output]), options: options)
        return try #require(try session.run(["x": input])["y"])
    }

    private static func input(_ shape: Shape) -> Tensor {
        var random = RandomSource(seed: 5)
        return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(3 * random.normal()) })
    }

    /// Far below zero it is the exponential, of which no digit may be lost and no sign.
    @Test(arguments: [1, 2]) func softplusIsSmallAndPositive(threads: Int) throws {
        let arguments = (0...800).map { Float($0) / 10 - 60 }
        let output = try Self.run(
            "Softplus", Tensor(shape: [arguments.count], scalars: arguments), threads: threads)
        for (x, found) in zip(arguments, output.scalars(as: Float.self)) {
            let exact = max(Double(x), 0) + log1p(exp(-abs(Double(x))))
            #expect(abs(Double(found) - exact) <= 1e-6 * exact, "\(x): \(found) for \(exact)")
        }
    }

    /// What is divided by so much that the reciprocal is no normal number.
    @Test func divisorsMayBeHuge() throws {
        var builder = GraphBuilder(name: "div")
        let value = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.fixed(1), .fixed(2)]))
        let product = builder.node(
            "MatMul",
            inputs: [value, builder.constant("w", Tensor(shape: [2, 2], scalars: [2, 0, 0, 3] as [Float]))])
        let divisor = builder.constant("d", Tensor(Float(1e38)))
        let output = builder.value("y")
        builder.add("Div", inputs: [product, divisor], outputs: [output])
        let session = try InferenceSession(graph: try builder.finish(outputs: [output]))
        let found = try session.run(["x": Tensor(shape: [1, 2], scalars: [1e38, -1e38] as [Float])])["y"]
        let numbers = try #require(found).scalars(as: Float.self)
        #expect(abs(numbers[0] - 2) < 1e-5 && abs(numbers[1] + 3) < 1e-5, "\(numbers)")
    }

    /// Permutations that are transpositions of matrices, side by side or not, and some that are not.
    @Test(
        arguments: [
            ([33, 19], [1, 0]), ([2, 17, 40], [0, 2, 1]), ([3, 5, 19, 33], [0, 2, 3, 1]),
            ([3, 5, 19, 33], [0, 3, 1, 2]), ([3, 5, 19, 33], [3, 2, 1, 0]), ([3, 5, 19, 33], [1, 3, 0, 2]),
            ([2, 128, 12, 64], [0, 2, 3, 1]), ([2, 3, 4, 5, 6], [4, 1, 3, 0, 2]), ([7, 3], [1, 0]),
            ([2, 3, 19, 5, 33], [0, 4, 3, 2, 1]),
        ] as [([Int], [Int])], [1, 2])
    func transpositions(_ layout: ([Int], [Int]), threads: Int) throws {
        let (extents, permutation) = layout
        let input = Self.input(Shape(extents))
        let output = try Self.run(
            "Transpose", input, ["perm": .ints(permutation.map { Int64($0) })], threads: threads)
        #expect(output.shape == Shape(permutation.map { extents[$0] }))
        let strides = input.shape.strides
        let (source, found) = (input.scalars(as: Float.self), output.scalars(as: Float.self))
        var position = 0
        var mistakes = 0
        output.shape.forEachCoordinate { coordinates in
            let origin = zip(coordinates, permutation).reduce(0) { $0 + $1.0 * strides[$1.1] }
            if found[position] != source[origin] { mistakes += 1 }
            position += 1
        }
        #expect(mistakes == 0)
    }

    /// Row-major pooling with strides, at the borders too.
    @Test(arguments: [(3, 1, 0), (2, 0, 0), (3, 0, 1), (5, 2, 1)], [29, 64])
    func maxima(_ window: (kernel: Int, padding: Int, ceiling: Int), width: Int) throws {
        let (kernel, padding, ceiling) = window
        let input = Self.input([2, 3, 30, width])
        let output = try Self.run(
            "MaxPool", input,
            [
                "kernel_shape": .ints([Int64(kernel), Int64(kernel)]), "strides": .ints([2, 2]),
                "pads": .ints([Int64](repeating: Int64(padding), count: 4)),
                "ceil_mode": .int(Int64(ceiling)),
            ], threads: 2)
        let source = input.scalars(as: Float.self)
        let (rows, columns) = (output.shape[2], output.shape[3])
        var expected: [Float] = []
        for plane in 0..<6 {
            for row in 0..<rows {
                for column in 0..<columns {
                    var largest = -Float.infinity
                    for y in 2 * row - padding..<2 * row - padding + kernel where (0..<30).contains(y) {
                        for x in 2 * column - padding..<2 * column - padding + kernel
                        where (0..<width).contains(x) {
                            largest = max(largest, source[(plane * 30 + y) * width + x])
                        }
                    }
                    expected.append(largest)
                }
            }
        }
        #expect(output.scalars(as: Float.self) == expected)
    }

    @Test func errorFunction() throws {
        let input = Tensor(
            shape: [2001], scalars: (0..<2001).map { Float($0 - 1000) / 200 })
        let output = try Self.run("Erf", input).scalars(as: Float.self)
        for (x, y) in zip(input.scalars(as: Float.self), output) {
            #expect(abs(Double(y) - erf(Double(x))) < 1.6e-7, "\(x)")
        }
    }

    /// oneDNN knows twelve axes.
    @Test(arguments: ["Sigmoid", "Tanh", "Exp", "Log", "Softplus", "Elu", "Relu", "Abs"])
    func functionsOfManyAxes(type: String) throws {
        let input = Self.input([2, 1, 3, 1, 1, 2, 1, 1, 2, 1, 1, 1, 5])
        let output = try Self.run(type, input, threads: 2)
        #expect(output.shape == input.shape)
        let flat = try Self.run(type, input.reshaped(to: [input.count]), threads: 2)
        for (value, known) in zip(output.scalars(as: Float.self), flat.scalars(as: Float.self)) {
            #expect(value == known || value.isNaN && known.isNaN)
        }
    }

    /// Depthwise convolutions between dense ones, with what is fused into them, and convolutions of few channels, whose input
    /// is copied in bands.
    @Test(
        arguments: [
            (20, 20, 20, 3, 1, 13), (20, 20, 20, 3, 2, 14), (16, 16, 16, 5, 1, 9), (70, 70, 70, 5, 2, 11),
            (256, 256, 256, 3, 2, 6), (3, 8, 1, 3, 2, 150), (1, 4, 1, 5, 1, 28), (2, 4, 1, 3, 1, 200),
        ], [1, 2])
    func convolutions(
        _ layer: (channels: Int, filters: Int, groups: Int, kernel: Int, stride: Int, extent: Int),
        threads: Int
    ) throws {
        let (kernel, stride, extent, padding) = (layer.kernel, layer.stride, layer.extent, layer.kernel / 2)
        let (inputs, outputs) = (layer.channels / layer.groups, layer.filters / layer.groups)
        let image = Self.input([2, layer.channels, extent, extent + 3])
        let weight = Self.input([layer.filters, inputs, kernel, kernel])
        let bias = Self.input([layer.filters])
        var builder = GraphBuilder(name: "convolution")
        let value = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: image.shape.extents.map { Dimension.fixed($0) }))
        var output = builder.node(
            "Conv", inputs: [value, builder.constant("w", weight), builder.constant("b", bias)],
            attributes: [
                "pads": .ints([Int64](repeating: Int64(padding), count: 4)),
                "strides": .ints([Int64(stride), Int64(stride)]), "group": .int(Int64(layer.groups)),
            ])
        output = builder.node("Relu", inputs: [output])
        var options = InferenceSession.Options()
        options.threads = threads
        let session = try InferenceSession(graph: try builder.finish(outputs: [output]), options: options)
        let result = try #require(try session.run(["x": image]).values.first)
        let (x, w, b) = (
            image.scalars(as: Double.self), weight.scalars(as: Double.self), bias.scalars(as: Double.self)
        )
        let found = result.scalars(as: Double.self)
        let width = extent + 3
        var position = 0
        var worst = 0.0
        result.shape.forEachCoordinate { place in
            let (sample, filter, row, column) = (place[0], place[1], place[2], place[3])
            var sum = b[filter]
            var magnitude = abs(sum)
            for input in 0..<inputs {
                let plane = (sample * layer.channels + filter / outputs * inputs + input) * extent
                for i in 0..<kernel {
                    let y = row * stride - padding + i
                    guard (0..<extent).contains(y) else { continue }
                    for j in 0..<kernel {
                        let z = column * stride - padding + j
                        guard (0..<width).contains(z) else { continue }
                        let product =
                            w[((filter * inputs + input) * kernel + i) * kernel + j]
                            * x[(plane + y) * width + z]
                        sum += product
                        magnitude += abs(product)
                    }
                }
            }
            worst = max(worst, abs(found[position] - max(sum, 0)) / magnitude)
            position += 1
        }
        // As many roundings as there are terms.
        #expect(worst < Double(inputs * kernel * kernel + 1) * 0x1p-24)
    }
}
