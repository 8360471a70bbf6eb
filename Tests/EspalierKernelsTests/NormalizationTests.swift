import EspalierKernels
import EspalierTensors
import TestSupport
import Testing

/// Batch and layer normalisation against a reference in Double, gradients against its central differences.
@Suite struct NormalizationTests {
    /// One normalisation, over groups of elements that share statistics.
    struct Reference {
        let shape: Shape
        /// The statistics' place of each element, and the place of its scale and shift.
        let group: (Int) -> Int
        let parameter: (Int) -> Int
        let groups: Int
        let parameters: Int
        let options: DNNNormalization
        /// Given statistics.
        var mean: [Double] = []
        var variance: [Double] = []

        func statistics(of x: [Double]) -> (mean: [Double], variance: [Double]) {
            if options.givenStatistics { return (mean, variance) }
            var mean = [Double](repeating: 0, count: groups)
            var variance = mean
            let size = Double(x.count / groups)
            for (place, value) in x.enumerated() { mean[group(place)] += value / size }
            for (place, value) in x.enumerated() {
                let centred = value - mean[group(place)]
                variance[group(place)] += centred * centred / size
            }
            return (mean, variance)
        }

        func result(_ x: [Double], scale: [Double], shift: [Double]) -> [Double] {
            let (mean, variance) = statistics(of: x)
            return x.enumerated().map { place, value in
                let (g, p) = (group(place), parameter(place))
                var result = (value - mean[g]) / (variance[g] + Double(options.epsilon)).squareRoot()
                if options.scale { result *= scale[p] }
                if options.shift { result += shift[p] }
                return options.relu ? max(result, 0) : result
            }
        }
    }

    @Test(
        arguments: [
            DNNNormalization(givenStatistics: false), DNNNormalization(givenStatistics: true),
            DNNNormalization(givenStatistics: false, relu: true),
            DNNNormalization(givenStatistics: true, relu: true),
            DNNNormalization(givenStatistics: false, scale: true, shift: false, epsilon: 1e-3),
            DNNNormalization(givenStatistics: false, scale: false, shift: true),
            DNNNormalization(givenStatistics: false, scale: false, shift: false),
            DNNNormalization(givenStatistics: true, scale: false, shift: false),
        ], [false, true])
    func batchNormalization(_ options: DNNNormalization, blocked: Bool) throws {
        let shape: Shape = [3, 5, 4, 3]
        let layout =
            blocked
            ? try DNNPrimitive.convolution(
                DNNConvolution(source: shape, weights: [16, 5, 1, 1]), bias: false
            ).layout(of: .source) : try .plain(shape)
        let channel: (Int) -> Int = { $0 / 12 % 5 }
        let reference = Reference(
            shape: shape, group: channel, parameter: channel, groups: 5, parameters: 5, options: options)
        try check(
            reference, forward: { try .batchNormalization(options, training: $0, source: layout) },
            backward: { try .batchNormalizationGradient(options, forward: $0) })
    }

    @Test func batchNormalizationOfMatrices() throws {
        let options = DNNNormalization(givenStatistics: false)
        let channel: (Int) -> Int = { $0 % 7 }
        let reference = Reference(
            shape: [9, 7], group: channel, parameter: channel, groups: 7, parameters: 7, options: options)
        try check(
            reference,
            forward: { try .batchNormalization(options, training: $0, source: .plain([9, 7])) },
            backward: { try .batchNormalizationGradient(options, forward: $0) })
    }

    @Test(
        arguments: [
            DNNNormalization(givenStatistics: false),
            DNNNormalization(givenStatistics: false, scale: true, shift: false),
            DNNNormalization(givenStatistics: false, scale: false, shift: false, epsilon: 1e-3),
            DNNNormalization(givenStatistics: true),
        ])
    func layerNormalization(_ options: DNNNormalization) throws {
        let shape: Shape = [2, 3, 19]
        let reference = Reference(
            shape: shape, group: { $0 / 19 }, parameter: { $0 % 19 }, groups: 6, parameters: 19,
            options: options)
        try check(
            reference, forward: { try .layerNormalization(options, training: $0, source: .plain(shape)) },
            backward: { try .layerNormalizationGradient(options, forward: $0) })
    }

    @Test func layerNormalizationHasNoFusedRelu() {
        #expect(throws: DNNError.self) {
            try DNNPrimitive.layerNormalization(
                DNNNormalization(givenStatistics: false, relu: true), source: .plain([2, 3]))
        }
    }

    private func check(
        _ given: Reference, forward makeForward: (Bool) throws -> DNNPrimitive,
        backward makeBackward: (DNNPrimitive) throws -> DNNPrimitive
    ) throws {
        var reference = given
        let options = reference.options
        var random = RandomSource(seed: 31)
        let x = random.floats(reference.shape.count)
        let scale = random.floats(reference.parameters)
        let shift = random.floats(reference.parameters)
        let mean = random.floats(reference.groups)
        let variance = random.floats(reference.groups).map { abs($0) + 0.5 }
        let gradient = random.floats(x.count)
        reference.mean = mean.map { Double($0) }
        reference.variance = variance.map { Double($0) }
        func doubles(_ values: [Float]) -> [Double] { values.map { Double($0) } }
        let expected = reference.result(doubles(x), scale: doubles(scale), shift: doubles(shift))

        var inputs: [DNNArgument: [Float]] = [.source: x]
        if options.scale { inputs[.scale] = scale }
        if options.shift { inputs[.shift] = shift }
        if options.givenStatistics {
            inputs[.mean] = mean
            inputs[.variance] = variance
        }
        let inference = try Execution(makeForward(false), inputs, outputs: [.destination])
        #expect(relativeDifference(try inference.values(.destination), expected) < 1e-5)

        let forward = try makeForward(true)
        let workspace = forward.layoutIfPresent(of: .workspace).map { Memory($0) }
        #expect((workspace != nil) == options.relu)
        let shared = workspace.map { [DNNArgument.workspace: $0] } ?? [:]
        let training = try Execution(
            forward, inputs,
            outputs: options.givenStatistics ? [.destination] : [.destination, .mean, .variance],
            shared: shared)
        #expect(
            relativeDifference(try training.values(.destination), expected) < 1e-5,
            "\(forward.implementationName)")
        let statistics = reference.statistics(of: doubles(x))
        if !options.givenStatistics {
            #expect(relativeDifference(try training.values(.mean), statistics.mean) < 1e-5)
            #expect(relativeDifference(try training.values(.variance), statistics.variance) < 1e-5)
        }

        inputs[.mean] = statistics.mean.map { Float($0) }
        inputs[.variance] = statistics.variance.map { Float($0) }
        inputs[.shift] = nil
        inputs[.destinationGradient] = gradient
        let backward = try makeBackward(forward)
        var outputs: [DNNArgument] = [.sourceGradient]
        if options.scale { outputs.append(.scaleGradient) }
        if options.shift { outputs.append(.shiftGradient) }
        let gradients = try Execution(backward, inputs, outputs: outputs, shared: shared)
        func loss(_ x: [Double], _ scale: [Double], _ shift: [Double]) -> Double {
            zip(reference.result(x, scale: scale, shift: shift), gradient).reduce(0) {
                $0 + $1.0 * Double($1.1)
            }
        }
        let (x64, scale64, shift64) = (doubles(x), doubles(scale), doubles(shift))
        let dx = centralDifferences(
            of: { loss($0, scale64, shift64) }, at: x64, positions: Array(x64.indices))
        #expect(
            relativeDifference(try gradients.values(.sourceGradient), dx) < 1e-4,
            "\(backward.implementationName)")
        if options.scale {
            let expected = centralDifferences(
                of: { loss(x64, $0, shift64) }, at: scale64, positions: Array(scale64.indices))
            #expect(relativeDifference(try gradients.values(.scaleGradient), expected) < 1e-4)
        }
        if options.shift {
            let expected = centralDifferences(
                of: { loss(x64, scale64, $0) }, at: shift64, positions: Array(shift64.indices))
            #expect(relativeDifference(try gradients.values(.shiftGradient), expected) < 1e-4)
        }
    }
}
