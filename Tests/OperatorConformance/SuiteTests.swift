import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// The suite itself: operators that are wrong on purpose must be found out, each by the check that is there for it.
@Suite struct SuiteTests {
    private let source = ConformanceCase(
        "a wrong operator", "Wrong", inputs: [.activation([2, 3], .uniform(0.5...2))])

    @Test func wrongDerivativesAreFound() throws {
        #expect(try !PreparedCase(source, type: WrongDerivative.self).checkGradients().isEmpty)
        #expect(try PreparedCase(source, type: WrongDerivative.self).checkKernels() == [])
    }

    @Test func gradientsThatAreNotWrittenAreFound() throws {
        #expect(try !PreparedCase(source, type: LeavesGradient.self).checkGradients().isEmpty)
    }

    @Test func wrongKernelsAreFound() throws {
        let problems = try PreparedCase(source, type: WrongKernel.self).checkKernels()
        #expect(problems.contains { $0.contains("expected") })
    }

    @Test func straysAreFound() throws {
        let problems = try PreparedCase(source, type: WritesBeyond.self).checkKernels()
        #expect(problems.contains { $0.contains("writes outside output 0") })
    }

    @Test func changedInputsAreFound() throws {
        let problems = try PreparedCase(source, type: ChangesInput.self).checkKernels()
        #expect(problems.contains { $0.contains("changes its input 0") })
    }

    @Test func wrongShapesAreFound() throws {
        let problems = try PreparedCase(source, type: WrongShape.self).checkReference()
        #expect(problems.contains { $0.contains("inferred 3x2, computed 2x3") })
    }

    @Test func linksAlongMixedAxesAreFound() throws {
        let problems = try PreparedCase(source, type: MixesLinkedAxis.self).checkAxisLinks()
        #expect(problems.contains { $0.contains("arbitrary") })
    }

    @Test func infinitiesBehindMasksAreFound() throws {
        let problems = try PreparedCase(source, type: InfiniteAtZero.self).checkAxisLinks()
        #expect(problems.contains { $0.contains("not finite") })
    }

    @Test func impossibleLinksAreFound() throws {
        let problems = try PreparedCase(source, type: LinksNothing.self).checkLinksAreWellFormed()
        #expect(problems.count == 2)
    }

    @Test func wrongStepsAreFound() throws {
        #expect(try !PreparedCase(source, type: WrongStep.self).checkEpilogueStep().isEmpty)
    }

    @Test func wrongBoundsAreFound() throws {
        #expect(try PreparedCase(source, type: BendsAtZero.self).checkBounds() == [])
        for (type, problem) in [
            (ClaimsToBeSum.self, "is not the sum"), (ClaimsToBeAffine.self, "is not affine"),
            (ClaimsNoNegative.self, "magnitudes"), (ClaimsPosition.self, "depends on"),
            (ClaimsExactness.self, "roundings"),
        ] as [(any Operator.Type, String)] {
            let problems = try PreparedCase(source, type: type).checkBounds()
            #expect(problems.contains { $0.contains(problem) }, "\(type): \(problems)")
        }
    }

    @Test func closureFollowsLinksBothWays() {
        var links = AxisLinks()
        links.link(.input(0, axis: 0), .output(0, axis: 0), .offset(1))
        links.link(.input(1, axis: 0), .output(0, axis: 0))
        links.link(.input(2, axis: 0), .output(0, axis: 0))
        links.frozen.append((.input(2, axis: 0), "for this test"))
        let facts = { (extent: Int) in ValueFacts(dtype: .float32, shape: [extent]) }
        let signature = Signature(inputs: [facts(1), facts(2), facts(1)], outputs: [facts(2)])
        // Output 0 hangs on what is frozen; output 1 is input 0's only element and input 1's second.
        let closure = AxisClosure(links, signature)
        #expect(closure.classes.map(\.count) == [3])
        #expect(
            Set(closure.classes.joined()) == [
                AxisIndex(axis: .input(0, axis: 0), index: 0), AxisIndex(axis: .input(1, axis: 0), index: 1),
                AxisIndex(axis: .output(0, axis: 0), index: 1),
            ])
    }

    @Test func comparisonsTellNumbersFromNotANumber() {
        let tolerance = Tolerance(relative: 0.1, absolute: 0)
        #expect(tolerance.accepts(1.05, 1) && !tolerance.accepts(1.2, 1))
        #expect(tolerance.accepts(.nan, .nan) && !tolerance.accepts(.nan, 1) && !tolerance.accepts(1, .nan))
        #expect(tolerance.accepts(.infinity, .infinity) && !tolerance.accepts(1, .infinity))
        let expected = Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])
        let actual = Tensor(shape: [2, 2], scalars: [1, 2, .nan, 4] as [Float])
        #expect(difference(expected, from: expected, .exact) == nil)
        #expect(difference(actual, from: expected, tolerance)?.contains("[1, 0]") == true)
    }
}

// MARK: - Wrong operators

/// A square, which a single member makes wrong.
private protocol Square: UnaryElementwise {}

extension Square {
    static var schemas: [OperatorSchema] { [OperatorSchema("Wrong")] }
    func value<Real: ReferenceReal>(_ x: Real) -> Real { x * x }
    func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 2 * x }

    /// A kernel that gives x^2 + `error`, and then does something it should not.
    func kernel(
        error: Float = 0,
        misdeed: @escaping (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> any Kernel {
        PlainKernel(inputCount: 1, outputCount: 1) { memory in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            for index in 0..<6 { output[index] = input[index] * input[index] + error }
            misdeed(input, output)
        }
    }
}

private struct WrongDerivative: Square {
    init(_ attributes: AttributeReader) {}
    func derivative<Real: ReferenceReal>(_ x: Real) -> Real { x }
}

private struct LeavesGradient: Square {
    init(_ attributes: AttributeReader) {}
    func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        PlainKernel(inputCount: context.backwardInputCount, outputCount: 1) { _ in }
    }
}

private struct WrongKernel: Square {
    init(_ attributes: AttributeReader) {}
    func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        kernel(error: 0.01) { _, _ in }
    }
}

private struct WritesBeyond: Square {
    init(_ attributes: AttributeReader) {}
    func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel { kernel { $1[6] = 0 } }
}

private struct ChangesInput: Square {
    init(_ attributes: AttributeReader) {}
    func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        kernel { input, _ in input[5] = 0 }
    }
}

private struct WrongShape: Square {
    init(_ attributes: AttributeReader) {}
    func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        [ValueFacts(dtype: .float32, shape: [3, 2])]
    }
}

private struct MixesLinkedAxis: Square {
    init(_ attributes: AttributeReader) {}
    func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        let sum = input.elements.reduce(0, +)
        return [.real(input.map { $0 / sum })]
    }
}

private struct InfiniteAtZero: Square {
    init(_ attributes: AttributeReader) {}
    func value<Real: ReferenceReal>(_ x: Real) -> Real { 1 / x }
    func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.link(.input(0, axis: 1), .output(0, axis: 1))
        return links
    }
}

private struct LinksNothing: Square {
    init(_ attributes: AttributeReader) {}
    func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.link(.input(0, axis: 0), .output(0, axis: 1))
        links.link(.input(1, axis: 0), .output(0, axis: 0))
        return links
    }
}

private struct WrongStep: Square, Epilogue {
    init(_ attributes: AttributeReader) {}
    var function: EpilogueStep? { .function(.tanh, alpha: 0, beta: 0) }
}

private struct BendsAtZero: UnaryElementwise, BoundPropagating {
    static var schemas: [OperatorSchema] { [OperatorSchema("Wrong")] }
    init(_ attributes: AttributeReader) {}
    func value<Real: ReferenceReal>(_ x: Real) -> Real { x < 0 ? x / 4 : x }
    func derivative<Real: ReferenceReal>(_ x: Real) -> Real { x < 0 ? 1 / 4 : 1 }
    func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation { .slopes(belowZero: 0.25) }
}

private struct ClaimsToBeSum: Square, BoundPropagating {
    init(_ attributes: AttributeReader) {}
    func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation { .sum([0: 1]) }
}

private struct ClaimsToBeAffine: Square, BoundPropagating {
    init(_ attributes: AttributeReader) {}
    func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .affine(AffinePropagation(.position, roundings: 1, gradientRoundings: 1))
    }
}

/// Elements times three or so, by kernels that compute squares.
private protocol Triple: Square, BoundPropagating {
    /// The elements of the output.
    func triples<Real: ReferenceReal>(of elements: [Real]) -> [Real]
    var propagation: AffinePropagation { get }
}

extension Triple {
    func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation { .affine(propagation) }
    func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        return [.real(NDArray(shape: input.shape, elements: triples(of: input.elements)))]
    }
}

private struct ClaimsNoNegative: Triple {
    init(_ attributes: AttributeReader) {}
    func triples<Real: ReferenceReal>(of elements: [Real]) -> [Real] { elements.map { -3 * $0 } }
    var propagation: AffinePropagation { AffinePropagation(.sample, roundings: 1, gradientRoundings: 1) }
}

private struct ClaimsPosition: Triple {
    init(_ attributes: AttributeReader) {}
    func triples<Real: ReferenceReal>(of elements: [Real]) -> [Real] { elements.reversed().map { 3 * $0 } }
    var propagation: AffinePropagation { AffinePropagation(.position, roundings: 1, gradientRoundings: 1) }
}

private struct ClaimsExactness: Triple {
    init(_ attributes: AttributeReader) {}
    func triples<Real: ReferenceReal>(of elements: [Real]) -> [Real] { elements.map { 3 * $0 } }
    var propagation: AffinePropagation { AffinePropagation(.sample, roundings: 1, gradientRoundings: 1) }
}
