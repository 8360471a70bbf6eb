import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// What the conformance suite cannot know of convolutions and matrix products: values worked out by hand, costs, refusals.
struct LinearOperatorsTests {
    private func build(
        _ type: String, _ attributes: [String: Attribute] = [:]
    ) throws -> any Operator {
        let node = Node(
            id: NodeID(index: 0), name: "", operatorName: OperatorName(type), inputs: [], outputs: [],
            attributes: attributes)
        return try Catalog.resolve(node, opsetVersion: 17).get()
    }

    private func facts(_ shapes: [Shape], _ dtype: DType = .float32) -> OperatorInputs {
        OperatorInputs(shapes.map { ValueFacts(dtype: dtype, shape: $0) })
    }

    private func run(
        _ operation: any Operator, _ inputs: [Tensor]
    ) throws -> Tensor {
        let outputs = try operation.inferOutputs(OperatorInputs(inputs.map { ValueFacts(constant: $0) }))
        return try #require(try operation.evaluate(inputs, outputs: outputs).get().first)
    }

    private func counting(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
        Tensor(shape: shape, scalars: (0..<shape.count).map { Float($0) }).converted(to: dtype)
    }

    // MARK: MatMul

    @Test(
        arguments: [
            ([3], [3], []), ([2, 3], [3], [2]), ([3], [3, 4], [4]), ([5, 2, 3], [3, 4], [5, 2, 4]),
            ([5, 1, 2, 3], [7, 3, 4], [5, 7, 2, 4]), ([3], [5, 3, 4], [5, 4]), ([0, 3], [3, 4], [0, 4]),
            ([2, 0], [0, 4], [2, 4]),
        ] as [([Int], [Int], [Int])])
    func matrixProductShapes(left: [Int], right: [Int], expected: [Int]) throws {
        let product = try build("MatMul")
        let output = try product.inferOutputs(facts([Shape(left), Shape(right)]))
        #expect(output[0].shape == Shape(expected))
        #expect(try run(product, [counting(Shape(left)), counting(Shape(right))]).shape == Shape(expected))
    }

    @Test(
        arguments: [([], [2]), ([2, 3], [2, 3]), ([2, 2, 3], [3, 3, 2]), ([3], [])] as [([Int], [Int])])
    func matrixProductRefuses(left: [Int], right: [Int]) throws {
        let product = try build("MatMul")
        #expect(throws: OperatorError.self) {
            try product.inferOutputs(facts([Shape(left), Shape(right)]))
        }
    }

    @Test func matrixProductOfIntegersWraps() throws {
        let left = Tensor(shape: [1, 2], scalars: [Int32.max, 1])
        let right = Tensor(shape: [2, 1], scalars: [2, 5] as [Int32])
        #expect(try run(build("MatMul"), [left, right]).scalars(as: Int64.self) == [3])
    }

    @Test func matrixProductCosts() throws {
        let product = try build("MatMul")
        let inputs = facts([[8, 5, 3], [3, 4]])
        let signature = Signature(inputs: inputs.facts, outputs: try product.inferOutputs(inputs))
        #expect(product.multiplyAccumulates(signature, nonzeros: []) == 8 * 5 * 3 * 4)
        #expect(product.multiplyAccumulates(signature, nonzeros: [nil, 2]) == 8 * 5 * 2)
    }

    // MARK: Gemm

    @Test(arguments: [false, true], [false, true])
    func gemmTransposes(left: Bool, right: Bool) throws {
        let gemm = try build(
            "Gemm",
            [
                "alpha": .float(0.5), "beta": .float(2), "transA": .int(left ? 1 : 0),
                "transB": .int(right ? 1 : 0),
            ])
        // A = [[1, 2, 3], [4, 5, 6]], B = [[1, 0], [0, 1], [1, 1]], so that A B = [[4, 5], [10, 11]].
        let storedLeft: Tensor =
            left
            ? Tensor(shape: [3, 2], scalars: [1, 4, 2, 5, 3, 6] as [Float])
            : Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])
        let storedRight: Tensor =
            right
            ? Tensor(shape: [2, 3], scalars: [1, 0, 1, 0, 1, 1] as [Float])
            : Tensor(shape: [3, 2], scalars: [1, 0, 0, 1, 1, 1] as [Float])
        let addend = Tensor(shape: [2, 1], scalars: [10, 20] as [Float])
        let result = try run(gemm, [storedLeft, storedRight, addend])
        #expect(result.scalars(as: Float.self) == [22, 22.5, 45, 45.5])
    }

    @Test func gemmRefuses() throws {
        let gemm = try build("Gemm")
        for shapes: [Shape] in [
            [[2, 3], [2, 3]], [[2, 3, 1], [3, 2]], [[2, 3], [3, 4], [3, 4]], [[2, 3], [3, 4], [1, 2, 4]],
        ] {
            #expect(throws: OperatorError.self) { try gemm.inferOutputs(facts(shapes)) }
        }
        let fractional = try build("Gemm", ["alpha": .float(0.5)])
        #expect(throws: OperatorError.self) {
            try fractional.inferOutputs(facts([[2, 3], [3, 4]], .int32))
        }
    }

    // MARK: Conv

    @Test func convolutionByHand() throws {
        // Two samples of one channel; the kernel adds each element to its right neighbour, padding only on the right.
        let conv = try build("Conv", ["pads": .ints([0, 1])])
        let input = Tensor(shape: [2, 1, 3], scalars: [1, 2, 3, 10, 20, 30] as [Float])
        let weight = Tensor(shape: [1, 1, 2], scalars: [1, 1] as [Float])
        let bias = Tensor(shape: [1], scalars: [0.5] as [Float])
        #expect(
            try run(conv, [input, weight, bias]).scalars(as: Float.self) == [3.5, 5.5, 3.5, 30.5, 50.5, 30.5])
    }

    @Test func groupsSeeOnlyTheirChannels() throws {
        let conv = try build("Conv", ["group": .int(2)])
        let input = Tensor(shape: [1, 4, 1], scalars: [1, 2, 3, 4] as [Float])
        let weight = Tensor(shape: [2, 2, 1], scalars: [1, 10, 100, 1000] as [Float])
        #expect(try run(conv, [input, weight]).scalars(as: Float.self) == [21, 4300])
    }

    @Test func dilationAndStrideSkip() throws {
        let conv = try build("Conv", ["dilations": .ints([1, 2]), "strides": .ints([2, 1])])
        let weight = Tensor(shape: [1, 1, 1, 2], scalars: [1, 1] as [Float])
        // Rows 0 and 2 of a 3x4 image; columns j and j + 2.
        #expect(try run(conv, [counting([1, 1, 3, 4]), weight]).scalars(as: Float.self) == [2, 4, 18, 20])
    }

    @Test func convolutionCosts() throws {
        let conv = try build("Conv", ["pads": .ints([1, 1, 1, 1])])
        let inputs = facts([[2, 3, 8, 8], [16, 3, 3, 3], [16]])
        let signature = Signature(inputs: inputs.facts, outputs: try conv.inferOutputs(inputs))
        #expect(conv.multiplyAccumulates(signature, nonzeros: []) == 2 * 64 * 16 * 27)
        #expect(conv.multiplyAccumulates(signature, nonzeros: [nil, 10]) == 2 * 64 * 10)
    }

    @Test(
        arguments: [
            ([:], [[1, 3], [4, 3]]), ([:], [[1, 3, 5], [4, 2, 3]]), ([:], [[1, 3, 5], [4, 3, 6]]),
            ([:], [[1, 3, 5], [4, 3, 3], [3]]), (["group": 2], [[1, 4, 5], [3, 2, 3]]),
            (["group": 3], [[1, 4, 5], [3, 1, 3]]), (["kernel_shape": 2], [[1, 3, 5], [4, 3, 3]]),
            (["group": .max], [[1, 3, 5], [4, 3, 3]]), ([:], [[1, 0, 5], [4, 0, 0]]),
        ] as [([String: Int64], [[Int]])])
    func convolutionRefuses(attributes: [String: Int64], shapes: [[Int]]) throws {
        let conv = try build(
            "Conv",
            attributes.reduce(into: [:]) {
                $0[$1.key] = $1.key == "group" ? .int($1.value) : .ints([$1.value])
            })
        #expect(throws: OperatorError.self) { try conv.inferOutputs(facts(shapes.map { Shape($0) })) }
    }

    @Test func groupsMustBePositive() {
        #expect(throws: OperatorError.self) { try build("Conv", ["group": .int(0)]) }
    }
}
