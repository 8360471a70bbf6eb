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

    /// Set 1 has other defaults.
    @Test func seluIsKnownFromOperatorSetSixOn() throws {
        #expect(throws: OperatorError.self) { try build("Selu", opset: 5) }
        _ = try build("Selu", opset: 6)
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

    /// Numbers of 64 bits without a sign, half of which are beyond those with one.
    @Test func unsignedNumbersKeepTheirOrder() throws {
        let (most, half) = (UInt64.max, UInt64(1) << 63)
        let large = UInt64(10_000_000_000_000_000_000)
        let left = vector([most, half, large, 5])
        let right = vector([1, most, large, half])
        func truth(_ type: String) throws -> [Int64] {
            try evaluate(type, [left, right]).scalars(as: Int64.self)
        }
        #expect(try truth("Greater") == [1, 0, 0, 0])
        #expect(try truth("GreaterOrEqual") == [1, 0, 1, 0])
        #expect(try truth("Less") == [0, 1, 0, 1])
        #expect(try truth("LessOrEqual") == [0, 1, 1, 1])
        #expect(try truth("Equal") == [0, 0, 1, 0])
        func numbers(
            _ type: String, _ inputs: [Tensor], _ attributes: [String: Attribute] = [:]
        ) throws -> [UInt64] {
            let result = try evaluate(type, inputs, attributes)
            #expect(result.dtype == .uint64)
            return result.scalars(as: UInt64.self)
        }
        #expect(try numbers("Max", [left, right]) == [most, most, large, half])
        #expect(try numbers("Min", [left, right]) == [1, half, large, 5])
        let quotients = try numbers("Div", [left, vector([2, half, 3, most])])
        #expect(quotients == [most / 2, 1, large / 3, 0])
        #expect(try numbers("Add", [left, right]) == [0, half - 1, large &+ large, half + 5])
        #expect(try numbers("Clip", [left, Tensor(UInt64(6)), Tensor(large)]) == [large, half, large, 6])
        #expect(try numbers("Sign", [left]) == [1, 1, 1, 1])
        #expect(try numbers("Abs", [left]) == left.scalars(as: UInt64.self))
        #expect(try numbers("ReduceMax", [left]) == [most])
        #expect(try numbers("ReduceMin", [left]) == [5])
        let image = left.reshaped(to: [1, 1, 4])
        #expect(try numbers("MaxPool", [image], ["kernel_shape": .ints([2])]) == [most, large, large])
        let joined = try numbers("Concat", [left, right], ["axis": .int(0)])
        #expect(joined == [most, half, large, 5, 1, most, large, half])
        let choice = vector([true, false, true, false])
        #expect(try numbers("Where", [choice, left, right]) == [most, most, large, half])
    }

    @Test func unsignedNumbersKeepTheirValueInPowersAndCasts() throws {
        let large = vector([.max, 1 << 63, 10_000_000_000_000_000_000] as [UInt64])
        for (code, dtype) in [(1, DType.float32), (11, .float64)] as [(Int64, DType)] {
            let real = try evaluate("Cast", [large], ["to": .int(code)])
            #expect(real.dtype == dtype && real.scalars(as: Float.self) == [0x1p64, 0x1p63, 1e19])
        }
        let whole = try evaluate("Cast", [vector([1e19, 0x1p63] as [Double])], ["to": .int(13)])
        #expect(whole.scalars(as: UInt64.self) == [10_000_000_000_000_000_000, 1 << 63])
        let root = try evaluate("Pow", [large, vector([0.5, 0.5, 1] as [Double])])
        #expect(root.scalars(as: UInt64.self) == [1 << 32, 3_037_000_499, 10_000_000_000_000_000_000])
        let inverse = try evaluate("Pow", [large, vector([-1, -1, 1] as [Int64])])
        #expect(inverse.scalars(as: UInt64.self) == [0, 0, 10_000_000_000_000_000_000])
        let powers = try evaluate(
            "Pow", [vector([-1, -1, 3] as [Int64]), vector([.max, 1 << 63, 2] as [UInt64])])
        #expect(powers.scalars(as: Int64.self) == [-1, 1, 9])
        let reals = try evaluate("Pow", [vector([1, 2] as [Float]), vector([.max, 10] as [UInt64])])
        #expect(reals.scalars(as: Float.self) == [1, 1024])
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
