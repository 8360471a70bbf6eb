import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// What the conformance suite cannot know of elementwise operators: values worked out by hand, odd numbers, refusals.
struct ElementwiseTests {
    private func build(
        _ type: String, opset: Int = 17, _ attributes: [String: Attribute] = [:]
    ) throws(OperatorError) -> any Operator {
        let node = Node(
            id: NodeID(index: 0), name: "", operatorName: OperatorName(type), inputs: [], outputs: [],
            attributes: attributes)
        return try Catalog.resolve(node, opsetVersion: opset).get()
    }

    private func evaluate(
        _ type: String, _ inputs: [Tensor], opset: Int = 17, _ attributes: [String: Attribute] = [:]
    ) throws(OperatorError) -> Tensor {
        let operation = try build(type, opset: opset, attributes)
        let facts = inputs.map { ValueFacts(constant: $0) }
        let outputs = try operation.inferOutputs(OperatorInputs(facts))
        return try operation.evaluate(inputs, outputs: outputs).get()[0]
    }

    private func vector<Scalar: TensorScalar>(_ scalars: [Scalar]) -> Tensor {
        Tensor(shape: [scalars.count], scalars: scalars)
    }

    @Test(
        arguments: [
            ("Relu", [0, 0, 3]), ("LeakyRelu", [-0.02, 0, 3]), ("Abs", [2, 0, 3]), ("Neg", [2, 0, -3]),
            ("Sign", [-1, 0, 1]), ("HardSigmoid", [0.1, 0.5, 1]), ("HardSwish", [-1 / 3, 0, 3]),
            ("Elu", [-0.864_664_7, 0, 3]), ("Selu", [-1.520_166_4, 0, 3.152_103]),
            ("Sigmoid", [0.119_202_9, 0.5, 0.952_574_1]),
            ("Tanh", [-0.964_027_6, 0, 0.995_054_8]), ("Softplus", [0.126_928_0, 0.693_147_2, 3.048_587_3]),
            ("Erf", [-0.995_322_3, 0, 0.999_977_9]), ("Exp", [0.135_335_3, 1, 20.085_537]),
        ] as [(String, [Float])])
    func functionsAtThreePoints(type: String, expected: [Float]) throws {
        let result = try evaluate(type, [vector([-2, 0, 3] as [Float])]).scalars(as: Float.self)
        for (value, known) in zip(result, expected) {
            #expect(abs(value - known) < 1e-5 * max(1, abs(known)))
        }
    }

    @Test(
        arguments: [
            ("none", [-0.045_500_26, 0, 2.995_950_3]), ("tanh", [-0.045_402_3, 0, 2.996_362_6]),
        ] as [(String, [Float])])
    func geluHasTwoForms(approximate: String, expected: [Float]) throws {
        let result = try evaluate(
            "Gelu", [vector([-2, 0, 3] as [Float])], opset: 20, ["approximate": .text(approximate)]
        ).scalars(as: Float.self)
        for (value, known) in zip(result, expected) { #expect(abs(value - known) < 1e-5) }
    }

    @Test(arguments: [
        "Relu", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Clip", "Abs", "Sign",
    ])
    func notANumberStays(type: String) throws {
        #expect(try evaluate(type, [vector([.nan] as [Float])]).scalars(as: Float.self)[0].isNaN)
    }

    @Test func maximaAndMinimaOfNotANumberAreNotANumber() throws {
        let (one, nan) = (vector([1, .nan] as [Float]), vector([.nan, 1] as [Float]))
        for type in ["Max", "Min"] {
            #expect(try evaluate(type, [one, nan]).scalars(as: Float.self).allSatisfy(\.isNaN))
        }
    }

    @Test func largeArgumentsDoNotOverflow() throws {
        let far = vector([-200, 200] as [Float])
        #expect(try evaluate("Sigmoid", [far]).scalars(as: Float.self) == [0, 1])
        #expect(try evaluate("Softplus", [far]).scalars(as: Float.self) == [0, 200])
    }

    @Test func integersDivideTowardsZeroAndWrap() throws {
        let quotient = try evaluate(
            "Div", [vector([7, -7, .min] as [Int64]), vector([2, 2, -1] as [Int64])])
        #expect(quotient.scalars(as: Int64.self) == [3, -3, .min])
        let product = try evaluate("Mul", [vector([200] as [UInt8]), vector([2] as [UInt8])])
        #expect(product.scalars(as: Int64.self) == [144])
        let power = try evaluate(
            "Pow", [vector([2, -1, 1, 3] as [Int64]), vector([62, -3, -9, -1] as [Int64])])
        #expect(power.scalars(as: Int64.self) == [1 << 62, -1, 1, 0])
    }

    @Test func integersAreNotDividedByZero() {
        #expect(throws: OperatorError.self) {
            try evaluate("Div", [vector([1] as [Int32]), vector([0] as [Int32])])
        }
        #expect(throws: OperatorError.self) {
            try evaluate("Pow", [vector([0] as [Int32]), vector([-1] as [Int32])])
        }
    }

    @Test func meansNeedFractions() {
        #expect(throws: OperatorError.self) { try evaluate("Mean", [vector([1] as [Int64])]) }
        #expect(throws: OperatorError.self) { try evaluate("Sqrt", [vector([1] as [Int64])]) }
    }

    @Test(arguments: ["Add", "Equal", "Max", "And", "Where"])
    func shapesThatDoNotBroadcastAreRefused(type: String) {
        let isLogic = type == "And"
        let (two, three) =
            isLogic
            ? (vector([true, false]), vector([true, false, true]))
            : (vector([1, 2] as [Float]), vector([1, 2, 3] as [Float]))
        let inputs = type == "Where" ? [vector([true]), two, three] : [two, three]
        #expect(throws: OperatorError.self) { try evaluate(type, inputs) }
    }

    @Test(arguments: ["Add", "Greater", "Min", "PRelu"])
    func operandsOfTwoTypesAreRefused(type: String) {
        #expect(throws: OperatorError.self) {
            try evaluate(type, [vector([1] as [Float]), vector([1] as [Double])])
        }
    }

    @Test func slopesDoNotWidenTheirInput() {
        #expect(throws: OperatorError.self) {
            try evaluate("PRelu", [vector([1] as [Float]), vector([1, 2] as [Float])])
        }
    }

    @Test(
        arguments: [
            ("Gelu", "approximate", .text("fast")), ("Dropout", "ratio", .float(1.5)),
            ("Cast", "to", .int(8)),
            ("LeakyRelu", "alpha", .text("steep")),
        ] as [(String, String, Attribute)])
    func badAttributesAreNamed(type: String, name: String, value: Attribute) {
        do throws(OperatorError) {
            _ = try build(type, opset: type == "Dropout" ? 7 : 20, [name: value])
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("'\(name)'"))
        }
    }

    @Test func castNeedsItsTarget() {
        #expect(throws: OperatorError.missingAttribute("to")) { try build("Cast") }
    }

    @Test func constantsPerChannelAreAffine() throws {
        let input = ValueFacts(dtype: .float32, shape: [2, 3, 4, 4])
        func affine(_ type: String, _ constant: Tensor) throws -> (scale: [Double], shift: [Double])? {
            let operation = try #require(try build(type) as? any ChannelAffine)
            return operation.channelAffine(
                Signature(inputs: [input, ValueFacts(constant: constant)], outputs: [input]))
        }
        let channels = Tensor(shape: [3, 1, 1], scalars: [1, 2, 4] as [Float])
        #expect(try affine("Add", channels)?.shift == [1, 2, 4])
        #expect(try affine("Sub", channels)?.shift == [-1, -2, -4])
        #expect(try affine("Mul", channels)?.scale == [1, 2, 4])
        #expect(try affine("Div", channels)?.scale == [1, 0.5, 0.25])
        #expect(try affine("Mul", Tensor(Float(2)))?.scale == [2, 2, 2])
        // Along another axis, or by nothing.
        #expect(try affine("Mul", Tensor(zeros: [4])) == nil)
        #expect(try affine("Mul", Tensor(zeros: [2, 1, 1, 1])) == nil)
        #expect(try affine("Div", Tensor(zeros: [3, 1, 1])) == nil)
    }
}
