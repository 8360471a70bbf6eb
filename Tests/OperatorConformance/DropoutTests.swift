import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// What is random about dropout, which the suite's cases leave out.
@Suite struct DropoutTests {
    private static let count = 10_000
    private let input = Tensor(shape: [count], scalars: (0..<count).map { Float($0 + 1) })

    @Test(arguments: [0, 0.2, 0.5, 1] as [Float])
    func keepsItsShareAndScalesIt(ratio: Float) throws {
        let output = try run(try kernel(ratio: ratio, seed: 1), ratio: ratio).scalars(as: Float.self)
        let dropped = output.count { $0 == 0 }
        // Five standard deviations of a binomial share.
        let slack = 5 * (Double(ratio * (1 - ratio)) * Double(Self.count)).squareRoot()
        #expect(abs(Double(dropped) - Double(ratio) * Double(Self.count)) <= slack)
        for (index, value) in output.enumerated() where value != 0 {
            #expect(abs(value - Float(index + 1) / (1 - ratio)) <= 1e-6 * value)
        }
    }

    @Test func everyStepDrawsAnotherMaskAndAStepCanBeRepeated() throws {
        let kernel = try kernel(ratio: 0.5, seed: 1)
        let first = try run(kernel).scalars(as: Float.self)
        let second = try run(kernel).scalars(as: Float.self)
        #expect(first != second)
        let resumed = try self.kernel(ratio: 0.5, seed: 1)
        resumed.step = 1
        #expect(try run(resumed).scalars(as: Float.self) == second)
    }

    @Test func seedsAndNodesDrawMasksOfTheirOwn() throws {
        let outputs = try [
            kernel(ratio: 0.5, seed: 1), kernel(ratio: 0.5, seed: 2),
            kernel(ratio: 0.5, seed: 1, name: "other"), kernel(ratio: 0.5, seed: 1, index: 1),
        ].map { try run($0).scalars(as: Float.self) }
        #expect(Set(outputs).count == outputs.count)
    }

    @Test func theNumberOfThreadsChangesNothing() throws {
        let outputs = try (1...2).map { threads in
            try onLane(threads: threads) {
                try run(try kernel(ratio: 0.5, seed: 1)).scalars(as: Float.self)
            }
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test func theGradientGoesWhereTheInputWent() throws {
        let (operation, signature) = try node(ratio: 0.3)
        let forward = try kernel(ratio: 0.3, seed: 4)
        let runner = KernelRunner(forward)
        let output = try #require(
            try runner.run([input, Tensor(Float(0.3))], outputs: signature.outputs, repeated: false)[0])
        let backward = try operation.lowerBackward(
            BackwardContext(
                signature: signature, forward: forward, outputGradientLayouts: [.plain],
                wanted: [true, false],
                phase: .training(frozenNormalization: false, seed: 4), threads: 1))
        let gradient = try #require(
            try KernelRunner(backward, workspace: runner.workspace).run(
                [nil, Tensor(Float(0.3)), nil, input], outputs: [signature.inputs[0], nil])[0])
        // With the input itself as the output's gradient, both passes compute the same.
        expectClose(gradient, output, relative: 0, absolute: 0)
    }

    @Test func theMaskTellsWhatWasKept() throws {
        let (operation, signature) = try node(ratio: 0.5, outputs: 2)
        let kernel = try operation.lower(context(signature, seed: 1))
        let outputs = try KernelRunner(kernel).run(
            [input, Tensor(Float(0.5))], outputs: signature.outputs, repeated: false)
        let values = try #require(outputs[0]?.scalars(as: Float.self))
        let mask = try #require(outputs[1]?.scalars(as: Int64.self))
        #expect(zip(values, mask).allSatisfy { ($0 != 0) == ($1 == 1) })
    }

    // MARK: Parts

    private func node(
        ratio: Float, name: String = "node", index: Int = 0, outputs: Int = 1
    ) throws -> (operation: Dropout, signature: Signature) {
        let single = Node.single(OperatorName("Dropout"), inputs: [true, true], outputCount: outputs)
        let node = Node(
            id: NodeID(index: index), name: name, operatorName: single.operatorName, inputs: single.inputs,
            outputs: single.outputs, attributes: [:])
        let operation = try Dropout(AttributeReader(node, opsetVersion: 17))
        let facts = [
            ValueFacts(dtype: .float32, shape: input.shape), ValueFacts(constant: Tensor(ratio)),
        ]
        let results = try operation.inferOutputs(OperatorInputs(facts, outputCount: outputs))
        return (operation, Signature(inputs: facts, outputs: results))
    }

    private func context(_ signature: Signature, seed: UInt64) -> LoweringContext {
        LoweringContext(
            signature: signature, inputLayouts: [.plain, .plain],
            phase: .training(frozenNormalization: false, seed: seed), threads: 1)
    }

    private func kernel(
        ratio: Float, seed: UInt64, name: String = "node", index: Int = 0
    ) throws -> any RandomKernel {
        let (operation, signature) = try node(ratio: ratio, name: name, index: index)
        return try #require(try operation.lower(context(signature, seed: seed)) as? any RandomKernel)
    }

    private func run(_ kernel: any RandomKernel, ratio: Float = 0.5) throws -> Tensor {
        let facts = ValueFacts(dtype: .float32, shape: input.shape)
        return try #require(
            try KernelRunner(kernel).run([input, Tensor(ratio)], outputs: [facts], repeated: false)[0])
    }
}
