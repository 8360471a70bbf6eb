import EspalierKernels
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// A function with its definition in Double, and arguments where it is defined and smooth.
struct ElementwiseCase: Sendable, CustomTestStringConvertible {
    let function: DNNElementwise
    var domain: ClosedRange<Float> = -3...3
    var isDifferentiable = true
    let reference: @Sendable (Double) -> Double

    var testDescription: String { "\(function.kind)" }

    static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    static func softplus(_ x: Double) -> Double { log1p(exp(x)) }

    static let all = [
        ElementwiseCase(function: .relu()) { max($0, 0) },
        ElementwiseCase(function: .relu(negativeSlope: 0.1)) { $0 > 0 ? $0 : 0.1 * $0 },
        ElementwiseCase(function: .elu(alpha: 1.3)) { $0 > 0 ? $0 : 1.3 * expm1($0) },
        ElementwiseCase(function: .geluErf) { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) },
        ElementwiseCase(function: .geluTanh) {
            $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
        },
        ElementwiseCase(function: .tanh) { tanh($0) },
        ElementwiseCase(function: .logistic) { sigmoid($0) },
        ElementwiseCase(function: .hardSwish, domain: -5...5) { $0 * min(max($0 / 6 + 0.5, 0), 1) },
        ElementwiseCase(function: .hardSigmoid(), domain: -5...5) { min(max(0.2 * $0 + 0.5, 0), 1) },
        ElementwiseCase(function: .clip(-0.7, 1.9)) { min(max($0, -0.7), 1.9) },
        ElementwiseCase(function: .abs) { abs($0) },
        ElementwiseCase(function: .sqrt, domain: 0.1...4) { $0.squareRoot() },
        ElementwiseCase(function: .exp) { exp($0) },
        ElementwiseCase(function: .log, domain: 0.1...4) { log($0) },
        ElementwiseCase(function: .square) { $0 * $0 },
        ElementwiseCase(function: .linear(scale: -1.5, shift: 0.25)) { -1.5 * $0 + 0.25 },
        ElementwiseCase(function: .pow(scale: 2, exponent: 1.5), domain: 0.1...4) { 2 * pow($0, 1.5) },
        ElementwiseCase(function: .swish(alpha: 1.2)) { $0 * sigmoid(1.2 * $0) },
        ElementwiseCase(function: .mish) { $0 * tanh(softplus($0)) },
        ElementwiseCase(function: .round, isDifferentiable: false) { $0.rounded(.toNearestOrEven) },
    ]
}

@Suite struct PointwiseTests {
    @Test(arguments: ElementwiseCase.all)
    func elementwiseFunctionAndItsGradient(_ test: ElementwiseCase) throws {
        let shape: Shape = [2, 19, 3, 2]
        var random = RandomSource(seed: 41)
        let x = (0..<shape.count).map { _ in random.uniform(in: test.domain) }
        let gradient = random.floats(x.count)
        let x64 = x.map { Double($0) }
        let blocked = try DNNPrimitive.convolution(
            DNNConvolution(source: shape, weights: [16, 19, 1, 1]), bias: false
        ).layout(of: .source)
        for layout in [try .plain(shape), blocked] {
            let forward: DNNPrimitive
            do throws(DNNError) {
                forward = try .elementwise(
                    test.function, training: test.isDifferentiable, source: layout)
            } catch {
                // The one function that version 2 lacks.
                #expect(error.reason == .unsupported)
                #expect(test.function.kind == .hardSigmoid && DNNLibrary.majorVersion == 2)
                return
            }
            let run = try Execution(forward, [.source: x], outputs: [.destination])
            #expect(relativeDifference(try run.values(.destination), x64.map(test.reference)) < 1e-5)
            guard test.isDifferentiable else { continue }
            let slopes = x64.map { value in
                (test.reference(value + 1e-6) - test.reference(value - 1e-6)) / 2e-6
            }
            let expected = zip(slopes, gradient).map { $0 * Double($1) }
            let backward = try DNNPrimitive.elementwiseGradient(test.function, forward: forward)
            let result = try Execution(
                backward, [.source: x, .destinationGradient: gradient], outputs: [.sourceGradient])
            #expect(relativeDifference(try result.values(.sourceGradient), expected) < 1e-4)
            guard test.function.gradientFromResult else { continue }
            let keeping = try DNNPrimitive.elementwise(
                test.function, training: true, gradientFromResult: true, source: layout)
            let fromResult = try Execution(
                .elementwiseGradient(test.function, forward: keeping, gradientFromResult: true),
                [.destination: run.values(.destination), .destinationGradient: gradient],
                outputs: [.sourceGradient])
            #expect(relativeDifference(try fromResult.values(.sourceGradient), expected) < 1e-4)
        }
    }

    @Test func elementwiseRunsInPlace() throws {
        let memory = try Memory([-1, 2, -3, 4, 5], in: .plain([5]))
        try DNNPrimitive.elementwise(.relu(), source: memory.layout).runOnce([
            .source: memory.pointer, .destination: memory.pointer,
        ])
        #expect(Array(memory.floats) == [0, 2, 0, 4, 5])
    }

    @Test(
        arguments: DNNBinary.allCases,
        [[2, 3, 4, 5], [1, 3, 1, 1], [1, 1, 4, 5], [2, 1, 1, 5], [1, 1, 1, 1]])
    func binaryBroadcastsItsSecondOperand(_ function: DNNBinary, second: [Int]) throws {
        let shape: Shape = [2, 3, 4, 5]
        var random = RandomSource(seed: 43)
        let x = random.floats(shape.count)
        let z = random.floats(Shape(second).count).map { $0 < 0 ? $0 - 0.5 : $0 + 0.5 }
        let primitive = try DNNPrimitive.binary(
            function, source: .plain(shape), secondSource: .plain(Shape(second)))
        let run = try Execution(primitive, [.source: x, .secondSource: z], outputs: [.destination])
        let expected = indices(of: shape.extents).enumerated().map { place, index in
            let other = zip(index, second).map { $1 == 1 ? 0 : $0 }
            let (a, b) = (Double(x[place]), Double(z[offset(other, in: second)]))
            return switch function {
            case .add: a + b
            case .subtract: a - b
            case .multiply: a * b
            case .divide: a / b
            case .minimum: min(a, b)
            case .maximum: max(a, b)
            }
        }
        #expect(relativeDifference(try run.values(.destination), expected) < 1e-6)
    }

    @Test(arguments: DNNPrimitive.Reduction.allCases, [[0], [1], [3], [2, 3], [0, 2, 3], [0, 1, 2, 3]])
    func reduction(_ kind: DNNPrimitive.Reduction, axes: [Int]) throws {
        let shape: Shape = [3, 4, 5, 6]
        var random = RandomSource(seed: 47)
        let x = random.floats(shape.count)
        let run = try Execution(
            .reduction(kind, source: .plain(shape), axes: axes), [.source: x], outputs: [.destination])
        var reduced = shape
        for axis in axes { reduced[axis] = 1 }
        var parts = [[Double]](repeating: [], count: reduced.count)
        for (place, index) in indices(of: shape.extents).enumerated() {
            var target = index
            for axis in axes { target[axis] = 0 }
            parts[offset(target, in: reduced.extents)].append(Double(x[place]))
        }
        let expected = parts.map { part in
            switch kind {
            case .sum: part.reduce(0, +)
            case .mean: part.reduce(0, +) / Double(part.count)
            case .maximum: part.reduce(-.infinity, max)
            case .minimum: part.reduce(.infinity, min)
            }
        }
        #expect(relativeDifference(try run.values(.destination), expected) < 1e-5)
    }

    @Test(arguments: [0, 1, 2], [false, true])
    func softmaxAndItsGradient(axis: Int, logarithm: Bool) throws {
        let shape: Shape = [3, 5, 4]
        var random = RandomSource(seed: 53)
        let x = random.floats(shape.count).map { 4 * $0 }
        let gradient = random.floats(x.count)
        func softmax(_ x: [Double]) -> [Double] {
            var sums = [Double](repeating: 0, count: x.count)
            let all = indices(of: shape.extents)
            func base(_ index: [Int]) -> Int {
                var base = index
                base[axis] = 0
                return offset(base, in: shape.extents)
            }
            for (place, index) in all.enumerated() { sums[base(index)] += exp(x[place]) }
            return all.enumerated().map { place, index in
                logarithm ? x[place] - log(sums[base(index)]) : exp(x[place]) / sums[base(index)]
            }
        }
        let x64 = x.map { Double($0) }
        let forward = try DNNPrimitive.softmax(
            axis: axis, logarithm: logarithm, training: true, source: .plain(shape))
        let run = try Execution(forward, [.source: x], outputs: [.destination])
        #expect(relativeDifference(try run.values(.destination), softmax(x64)) < 1e-5)
        let backward = try DNNPrimitive.softmaxGradient(axis: axis, logarithm: logarithm, forward: forward)
        let gradients = try Execution(
            backward, [.destination: run.values(.destination), .destinationGradient: gradient],
            outputs: [.sourceGradient])
        let expected = centralDifferences(
            of: { x in zip(softmax(x), gradient).reduce(0) { $0 + $1.0 * Double($1.1) } }, at: x64,
            positions: Array(x64.indices))
        #expect(relativeDifference(try gradients.values(.sourceGradient), expected) < 1e-4)
    }
}
