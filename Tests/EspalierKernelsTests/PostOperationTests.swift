import EspalierKernels
import EspalierTensors
import Testing

/// What is fused behind a primitive gives the same as what runs after it.
@Suite struct PostOperationTests {
    private static let convolution = Result {
        try DNNConvolution(
            source: [2, 5, 6, 6], weights: [7, 5, 3, 3], paddingBegin: [1, 1], paddingEnd: [1, 1])
    }

    private struct Setting {
        let x, w, b, other, channels: [Float]
        let plain: [Double]

        init(_ convolution: DNNConvolution) {
            var random = RandomSource(seed: 71)
            x = random.floats(convolution.source.count)
            w = random.floats(convolution.weights.count)
            b = random.floats(convolution.weights[0])
            other = random.floats(convolution.destination.count)
            channels = random.floats(convolution.weights[0])
            var y = (0..<convolution.destination.count).map { [b] place in
                Double(b[convolution.channel(ofDestination: place)])
            }
            convolution.forEachProduct { [x, w] source, weight, destination in
                y[destination] += Double(x[source]) * Double(w[weight])
            }
            plain = y
        }
    }

    @Test func residualAdditionThenRelu() throws {
        let convolution = try Self.convolution.get()
        let setting = Setting(convolution)
        let expected = zip(setting.plain, setting.other).map { max($0 + Double($1), 0) }
        let operands: [DNNOperand?] = [nil, .layout(try .plain(convolution.destination))]
        for operand in operands {
            let primitive = try DNNPrimitive.convolution(
                convolution, bias: true,
                postOperations: [.binary(.add, operand), .elementwise(.relu())])
            let run = try Execution(
                primitive,
                [.source: setting.x, .weights: setting.w, .bias: setting.b, .postOperand(0): setting.other],
                outputs: [.destination])
            #expect(
                relativeDifference(try run.values(.destination), expected) < 1e-5,
                "\(primitive.implementationName)")
        }
    }

    @Test func scaleOfEachChannelThenClip() throws {
        let convolution = try Self.convolution.get()
        let setting = Setting(convolution)
        let primitive = try DNNPrimitive.convolution(
            convolution, bias: true,
            postOperations: [
                .elementwise(.linear(scale: 0.5)), .binary(.multiply, try .plain([1, 7, 1, 1])),
                .elementwise(.clip(-0.2, 0.3)),
            ])
        let run = try Execution(
            primitive,
            [.source: setting.x, .weights: setting.w, .bias: setting.b, .postOperand(1): setting.channels],
            outputs: [.destination])
        let expected = setting.plain.enumerated().map { place, value in
            min(
                max(value * 0.5 * Double(setting.channels[convolution.channel(ofDestination: place)]), -0.2),
                0.3)
        }
        #expect(relativeDifference(try run.values(.destination), expected) < 1e-5)
        #expect(primitive.layoutIfPresent(of: .postOperand(0)) == nil)
    }

    /// The destination is an input as well, so this runs once.
    @Test func accumulationIntoTheDestination() throws {
        let convolution = try Self.convolution.get()
        let setting = Setting(convolution)
        let primitive = try DNNPrimitive.convolution(
            convolution, bias: true, postOperations: [.accumulate(scale: 2)])
        let source = try Memory(setting.x, in: primitive.layout(of: .source))
        let weights = try Memory(setting.w, in: primitive.layout(of: .weights))
        let bias = try Memory(setting.b, in: primitive.layout(of: .bias))
        let destination = try Memory(setting.other, in: primitive.layout(of: .destination))
        try primitive.runOnce([
            .source: source.pointer, .weights: weights.pointer, .bias: bias.pointer,
            .destination: destination.pointer,
        ])
        let expected = zip(setting.plain, setting.other).map { $0 + 2 * Double($1) }
        #expect(relativeDifference(try destination.values(), expected) < 1e-5)
    }

    @Test func inAProduct() throws {
        var random = RandomSource(seed: 73)
        let (x, w, b) = (random.floats(6), random.floats(12), random.floats(4))
        let primitive = try DNNPrimitive.innerProduct(
            source: .any([2, 3]), weights: .any([4, 3]), bias: true,
            postOperations: [.elementwise(.logistic)])
        let run = try Execution(primitive, [.source: x, .weights: w, .bias: b], outputs: [.destination])
        let expected = indices(of: [2, 4]).map { index in
            let sum = (0..<3).reduce(Double(b[index[1]])) {
                $0 + Double(x[index[0] * 3 + $1]) * Double(w[index[1] * 3 + $1])
            }
            return ElementwiseCase.sigmoid(sum)
        }
        #expect(relativeDifference(try run.values(.destination), expected) < 1e-5)
    }

    @Test func tooManyAreRefused() throws {
        let error = #expect(throws: DNNError.self) {
            try DNNPrimitive.convolution(
                Self.convolution.get(), bias: false,
                postOperations: [DNNPostOperation](repeating: .elementwise(.abs), count: 9))
        }
        #expect(error?.message.contains("too many fused operations") == true)
    }
}
