import EspalierKernels
import EspalierTensors
import Testing

@Suite struct PoolingTests {
    struct PoolingCase: Sendable, CustomTestStringConvertible {
        let name: String
        let source: Shape
        let kernel: [Int]
        var strides: [Int]?
        var dilations: [Int]?
        var paddingBegin: [Int]?
        var paddingEnd: [Int]?

        var testDescription: String { name }

        static let all = [
            PoolingCase(name: "1-d", source: [2, 3, 9], kernel: [3], strides: [2]),
            PoolingCase(name: "2-d", source: [2, 5, 8, 6], kernel: [2, 2], strides: [2, 2]),
            PoolingCase(
                name: "asymmetric", source: [1, 4, 7, 6], kernel: [3, 2], strides: [2, 1],
                paddingBegin: [1, 0], paddingEnd: [0, 1]),
            PoolingCase(name: "dilated", source: [1, 3, 9, 9], kernel: [3, 2], dilations: [2, 3]),
            PoolingCase(
                name: "3-d", source: [1, 2, 4, 5, 5], kernel: [2, 3, 2], strides: [1, 2, 1],
                paddingBegin: [0, 1, 0], paddingEnd: [1, 0, 0]),
            PoolingCase(name: "global", source: [2, 17, 4, 3], kernel: [4, 3]),
        ]
    }

    @Test(arguments: PoolingCase.all)
    func maximumAgreesWithLoops(of testCase: PoolingCase) throws {
        try check(.maximum, testCase)
    }

    @Test(arguments: PoolingCase.all)
    func averageIncludingPaddingAgreesWithLoops(of testCase: PoolingCase) throws {
        try check(.averageIncludingPadding, testCase)
    }

    @Test(arguments: PoolingCase.all)
    func averageExcludingPaddingAgreesWithLoops(of testCase: PoolingCase) throws {
        try check(.averageExcludingPadding, testCase)
    }

    private func check(_ kind: DNNPooling.Kind, _ test: PoolingCase) throws {
        let pooling = try DNNPooling(
            kind, source: test.source, kernel: test.kernel, strides: test.strides, dilations: test.dilations,
            paddingBegin: test.paddingBegin, paddingEnd: test.paddingEnd)
        var random = RandomSource(seed: 21)
        let x = random.floats(pooling.source.count)
        let gradient = random.floats(pooling.destination.count)
        var y = [Double](repeating: 0, count: gradient.count)
        var dx = [Double](repeating: 0, count: x.count)
        let extents = Array(pooling.source.extents.dropFirst(2))
        for (target, index) in indices(of: pooling.destination.extents).enumerated() {
            let places = indices(of: pooling.kernel).compactMap { element in
                position(
                    window: Array(index.dropFirst(2)), element: element, strides: pooling.strides,
                    dilations: pooling.dilations, padding: pooling.paddingBegin, extents: extents
                ).map { offset(Array(index.prefix(2)) + $0, in: pooling.source.extents) }
            }
            if kind == .maximum {
                let best = try #require(places.max { x[$0] < x[$1] })
                y[target] = Double(x[best])
                dx[best] += Double(gradient[target])
            } else {
                let count =
                    kind == .averageIncludingPadding ? pooling.kernel.reduce(1, *) : places.count
                for place in places {
                    y[target] += Double(x[place]) / Double(count)
                    dx[place] += Double(gradient[target]) / Double(count)
                }
            }
        }
        // Row-major, and the layout a convolution before it would leave.
        let blocked = try DNNPrimitive.convolution(
            DNNConvolution(
                source: pooling.source,
                weights: Shape(
                    [16, pooling.source[1]] + [Int](repeating: 1, count: pooling.kernel.count))),
            bias: false
        ).layout(of: .source)
        for layout in [try .plain(pooling.source), blocked] {
            let forward = try DNNPrimitive.pooling(pooling, training: true, source: layout)
            let workspace = forward.layoutIfPresent(of: .workspace).map { Memory($0) }
            #expect((workspace != nil) == (kind == .maximum))
            let shared = workspace.map { [DNNArgument.workspace: $0] } ?? [:]
            let result = try Execution(forward, [.source: x], outputs: [.destination], shared: shared)
            #expect(
                relativeDifference(try result.values(.destination), y) < 1e-6,
                "\(forward.implementationName) \(layout)")
            let backward = try DNNPrimitive.poolingGradient(pooling, forward: forward)
            let gradients = try Execution(
                backward, [.destinationGradient: gradient], outputs: [.sourceGradient], shared: shared)
            #expect(
                relativeDifference(try gradients.values(.sourceGradient), dx) < 1e-6,
                "\(backward.implementationName) \(layout)")
            let inference = try DNNPrimitive.pooling(pooling, source: layout)
            #expect(inference.layoutIfPresent(of: .workspace) == nil)
            let same = try Execution(inference, [.source: x], outputs: [.destination])
            #expect(relativeDifference(try same.values(.destination), y) < 1e-6)
        }
    }

    @Test func impossibleGeometryIsRefused() {
        #expect(throws: DNNError.self) { try DNNPooling(.maximum, source: [1, 3, 5, 5], kernel: [6, 1]) }
        #expect(throws: DNNError.self) { try DNNPooling(.maximum, source: [1, 3, 5], kernel: [2, 2]) }
    }
}
