import EspalierKernels
import EspalierTensors
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let name: String
    let source: Shape
    let weights: Shape
    var groups = 1
    var strides: [Int]?
    var dilations: [Int]?
    var paddingBegin: [Int]?
    var paddingEnd: [Int]?

    var testDescription: String { name }

    func convolution() throws -> DNNConvolution {
        try DNNConvolution(
            source: source, weights: weights, groups: groups, strides: strides, dilations: dilations,
            paddingBegin: paddingBegin, paddingEnd: paddingEnd)
    }

    static let all = [
        ConvolutionCase(name: "1-d", source: [2, 3, 9], weights: [4, 3, 3], strides: [2], paddingEnd: [1]),
        ConvolutionCase(
            name: "asymmetric", source: [2, 5, 7, 6], weights: [7, 5, 3, 2], strides: [2, 1],
            paddingBegin: [1, 0], paddingEnd: [0, 2]),
        ConvolutionCase(
            name: "dilated", source: [1, 4, 9, 8], weights: [6, 4, 3, 3], dilations: [2, 1],
            paddingBegin: [2, 1], paddingEnd: [2, 1]),
        ConvolutionCase(
            name: "groups", source: [2, 6, 8, 8], weights: [4, 3, 3, 3], groups: 2, paddingBegin: [1, 1],
            paddingEnd: [1, 1]),
        ConvolutionCase(
            name: "depthwise", source: [1, 19, 7, 7], weights: [19, 1, 3, 3], groups: 19, strides: [2, 2],
            paddingBegin: [1, 1], paddingEnd: [1, 1]),
        ConvolutionCase(
            name: "depthwise times two", source: [1, 8, 5, 5], weights: [16, 1, 3, 3], groups: 8),
        ConvolutionCase(
            name: "3-d", source: [1, 2, 4, 5, 5], weights: [3, 2, 2, 3, 3], strides: [1, 2, 1],
            paddingBegin: [0, 1, 1], paddingEnd: [1, 1, 1]),
        ConvolutionCase(name: "pointwise", source: [2, 32, 3, 4], weights: [48, 32, 1, 1]),
        ConvolutionCase(name: "first of a network", source: [3, 1, 8, 9], weights: [20, 1, 5, 5]),
        ConvolutionCase(
            name: "blocks of channels", source: [1, 32, 4, 4], weights: [32, 32, 3, 3],
            paddingBegin: [1, 1], paddingEnd: [1, 1]),
    ]
}

/// Forward and both gradients against the sum over all products.
@Suite struct ConvolutionTests {
    @Test(arguments: ConvolutionCase.all, [1, 2])
    func agreesWithLoops(of testCase: ConvolutionCase, threads: Int) throws {
        let lane = try Lane(threads: threads)
        try lane.run { try check(testCase.convolution()) }
    }

    @Test(arguments: ConvolutionCase.all)
    func agreesWithLoopsInPlainLayouts(of testCase: ConvolutionCase) throws {
        try check(testCase.convolution(), plainWeights: true) { try .plain($0) }
    }

    @Test(arguments: ConvolutionCase.all)
    func agreesWithLoopsInChannelsLastLayouts(of testCase: ConvolutionCase) throws {
        try check(testCase.convolution()) { try .channelsLast($0) }
    }

    /// Many machines and geometries have no kernel of the method, and say so.
    @Test(arguments: ConvolutionCase.all)
    func agreesWithLoopsByWinogradsMethod(of testCase: ConvolutionCase) throws {
        do {
            try check(testCase.convolution(), algorithm: .winograd)
        } catch let error as DNNError where error.reason == .unsupported {}
    }

    private func check(
        _ convolution: DNNConvolution, algorithm: DNNConvolutionAlgorithm = .direct,
        plainWeights: Bool = false, layout: (Shape) throws -> DNNLayout? = { _ in nil }
    ) throws {
        var random = RandomSource(seed: 11)
        let x = random.floats(convolution.source.count)
        let w = random.floats(convolution.weights.count)
        let b = random.floats(convolution.weights[0])
        let gradient = random.floats(convolution.destination.count)
        var y = [Double](repeating: 0, count: gradient.count)
        var dx = [Double](repeating: 0, count: x.count)
        var dw = [Double](repeating: 0, count: w.count)
        var db = [Double](repeating: 0, count: b.count)
        for target in y.indices {
            y[target] = Double(b[convolution.channel(ofDestination: target)])
            db[convolution.channel(ofDestination: target)] += Double(gradient[target])
        }
        convolution.forEachProduct { source, weight, destination in
            y[destination] += Double(x[source]) * Double(w[weight])
            dx[source] += Double(gradient[destination]) * Double(w[weight])
            dw[weight] += Double(gradient[destination]) * Double(x[source])
        }

        let source = try layout(convolution.source)
        let weights = plainWeights ? try DNNLayout.plain(convolution.groupedWeights) : nil
        let destination = try layout(convolution.destination)
        let forward = try DNNPrimitive.convolution(
            convolution, bias: true, training: true, algorithm: algorithm, source: source, weights: weights,
            destination: destination)
        let forwardRun = try Execution(
            forward, [.source: x, .weights: w, .bias: b], outputs: [.destination])
        #expect(
            relativeDifference(try forwardRun.values(.destination), y) < 1e-5, "\(forward.implementationName)"
        )

        let backwardData = try DNNPrimitive.convolutionSourceGradient(
            convolution, forward: forward, algorithm: algorithm, sourceGradient: source, weights: weights,
            destinationGradient: destination)
        let dataRun = try Execution(
            backwardData, [.weights: w, .destinationGradient: gradient], outputs: [.sourceGradient])
        #expect(
            relativeDifference(try dataRun.values(.sourceGradient), dx) < 1e-5,
            "\(backwardData.implementationName)")

        let backwardWeights = try DNNPrimitive.convolutionWeightsGradient(
            convolution, bias: true, forward: forward, algorithm: algorithm, source: source,
            weightsGradient: weights, destinationGradient: destination)
        let weightsRun = try Execution(
            backwardWeights, [.source: x, .destinationGradient: gradient],
            outputs: [.weightsGradient, .biasGradient])
        #expect(
            relativeDifference(try weightsRun.values(.weightsGradient), dw) < 1e-5,
            "\(backwardWeights.implementationName)")
        #expect(relativeDifference(try weightsRun.values(.biasGradient), db) < 1e-5)
    }

    @Test func withoutBiasThereIsNoBiasArgument() throws {
        let convolution = try DNNConvolution(source: [1, 3, 5, 5], weights: [4, 3, 3, 3])
        let forward = try DNNPrimitive.convolution(convolution, bias: false)
        #expect(forward.layoutIfPresent(of: .bias) == nil)
        #expect(try forward.layout(of: .weights).shape == [4, 3, 3, 3])
        #expect(throws: DNNError.self) { try forward.layout(of: .mean) }
    }

    /// Layouts that no kernel combines leave the reference implementation, which says so.
    @Test func referenceImplementationsAreTold() throws {
        let convolution = try DNNConvolution(source: [2, 16, 6, 6], weights: [16, 16, 3, 3])
        let strange = try DNNLayout.strided([2, 16, 4, 4], strides: [256, 16, 1, 4])
        #expect(try DNNPrimitive.convolution(convolution, bias: false, destination: strange).isReference)
        #expect(try !DNNPrimitive.convolution(convolution, bias: false).isReference)
    }

    @Test func impossibleGeometryIsRefused() {
        #expect(throws: DNNError.self) { try DNNConvolution(source: [1, 3, 5, 5], weights: [4, 2, 3, 3]) }
        #expect(throws: DNNError.self) { try DNNConvolution(source: [1, 3, 5, 5], weights: [4, 3, 6, 3]) }
        #expect(throws: DNNError.self) { try DNNConvolution(source: [1, 3], weights: [4, 3]) }
        #expect(throws: DNNError.self) {
            try DNNConvolution(source: [1, 3, 5, 5], weights: [4, 3, 3, 3], strides: [0, 1])
        }
        #expect(throws: DNNError.self) {
            try DNNConvolution(source: [1, 4, 5, 5], weights: [5, 2, 3, 3], groups: 2)
        }
    }

    /// What the C layer says, since the checks above do not catch everything.
    @Test func refusalsNameTheKindAndTheExtents() throws {
        let convolution = try DNNConvolution(source: [1, 3, 5, 5], weights: [4, 3, 3, 3])
        let error = #expect(throws: DNNError.self) {
            try DNNPrimitive.convolution(
                convolution, bias: false, source: .plain([1, 3, 5, 4]))
        }
        #expect(error?.message.contains("1x3x5x4") == true)
        let padded = try DNNConvolution(
            source: [1, 3, 5, 5], weights: [4, 3, 3, 3], paddingBegin: [-1, 0], paddingEnd: [1, 0])
        let refusal = #expect(throws: DNNError.self) {
            try DNNPrimitive.convolution(padded, bias: false)
        }
        #expect(refusal?.reason == .invalid)
        #expect(refusal?.message.hasPrefix("convolution (") == true, "\(String(describing: refusal))")
    }
}
