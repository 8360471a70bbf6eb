import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// The running statistics, which a training kernel changes in its inputs' memory.
struct BatchNormalizationTests {
    private static func kernel(
        _ shape: Shape, phase: Phase
    ) throws -> (kernel: any Kernel, operation: any Operator, outputs: [ValueFacts]) {
        let node = Node(
            id: NodeID(index: 0), name: "", operatorName: OperatorName("BatchNormalization"), inputs: [],
            outputs: [], attributes: ["momentum": .float(0.8), "epsilon": .float(1e-3)])
        let operation = try Catalog.resolve(node, opsetVersion: 17).get()
        let channels = ValueFacts(dtype: .float32, shape: [shape.rank > 1 ? shape[1] : 1])
        let facts = [ValueFacts(dtype: .float32, shape: shape), channels, channels, channels, channels]
        let outputs = try operation.inferOutputs(OperatorInputs(facts))
        let kernel = try #require(operation as? any Lowering).lower(
            LoweringContext(
                signature: Signature(inputs: facts, outputs: outputs),
                inputLayouts: facts.map { _ in .plain }, phase: phase, threads: 1))
        return (kernel, operation, outputs)
    }

    /// Runs a kernel as often as asked, on memory that stays, and returns the stored statistics.
    private static func statistics(
        after runs: Int, of kernel: any Kernel, input: Tensor, outputs: [ValueFacts]
    ) -> (mean: [Float], variance: [Float]) {
        let channels = input.shape.rank > 1 ? input.shape[1] : 1
        func memory(_ values: [Float]) -> AlignedStorage {
            let storage = AlignedStorage(byteCount: values.count * 4)
            storage.base.copyMemory(from: values, byteCount: values.count * 4)
            return storage
        }
        let ones = [Float](repeating: 1, count: channels)
        let zeros = [Float](repeating: 0, count: channels)
        let inputs = [
            memory(input.scalars(as: Float.self)), memory(ones), memory(zeros), memory(zeros), memory(ones),
        ]
        let output = AlignedStorage(byteCount: input.byteCount)
        let scratch = AlignedStorage(byteCount: kernel.scratchByteCount)
        let workspace = AlignedStorage(byteCount: kernel.workspaceByteCount)
        kernel.bind(
            KernelMemory(
                inputs: inputs.map(\.base), outputs: [output.base], scratch: scratch.base,
                workspace: workspace.base))
        for _ in 0..<runs { kernel.run() }
        func read(_ storage: AlignedStorage) -> [Float] {
            (0..<channels).map { storage.base.load(fromByteOffset: $0 * 4, as: Float.self) }
        }
        return withExtendedLifetime((inputs, output, scratch, workspace)) {
            (read(inputs[3]), read(inputs[4]))
        }
    }

    @Test func trainingMovesTheStoredStatisticsByThePopulationVariance() throws {
        let (kernel, _, outputs) = try Self.kernel(
            [2, 2, 2], phase: .training(frozenNormalization: false, seed: 0))
        #expect(kernel.mutatedInputs == [3, 4])
        // Channel 0 holds 1, 2, 3, 6: mean 3, population variance 3.5 (the sample variance would be 14/3).
        let input = Tensor(shape: [2, 2, 2], scalars: [1, 2, 0, 0, 3, 6, 0, 4] as [Float])
        let once = Self.statistics(after: 1, of: kernel, input: input, outputs: outputs)
        #expect(once.mean.elementsEqual([0.6, 0.2]) { abs($0 - $1) < 1e-6 })
        #expect(once.variance.elementsEqual([0.8 + 0.2 * 3.5, 0.8 + 0.2 * 3]) { abs($0 - $1) < 1e-6 })
        let twice = Self.statistics(after: 2, of: kernel, input: input, outputs: outputs)
        #expect(twice.mean.elementsEqual([0.8 * 0.6 + 0.6, 0.8 * 0.2 + 0.2]) { abs($0 - $1) < 1e-6 })
    }

    /// ONNX's rule for inputs of a single axis.
    @Test func elementsOfASingleAxisAreSamplesOfOneChannel() throws {
        let (kernel, operation, outputs) = try Self.kernel(
            [4], phase: .training(frozenNormalization: false, seed: 0))
        let input = Tensor(shape: [4], scalars: [1, 2, 3, 6] as [Float])
        let moved = Self.statistics(after: 1, of: kernel, input: input, outputs: outputs)
        #expect(moved.mean.elementsEqual([0.6]) { abs($0 - $1) < 1e-6 })
        #expect(moved.variance.elementsEqual([0.8 + 0.2 * 3.5]) { abs($0 - $1) < 1e-6 })
        // A scale of 2, a shift of 1, a mean of 3 and, with epsilon, a deviation of 2.
        let parameters = [2, 1, 3, 3.999].map { Tensor(shape: [1], scalars: [Float($0)]) }
        let inputs: [Tensor?] = [input, parameters[0], parameters[1], parameters[2], parameters[3]]
        let values = try operation.evaluate(inputs, outputs: outputs).get()[0]
        #expect(values.shape == [4])
        #expect(values.scalars(as: Float.self).elementsEqual([-1, 0, 1, 4]) { abs($0 - $1) < 1e-5 })
        let (inference, _, _) = try Self.kernel([4], phase: .inference)
        let found = try #require(try KernelRunner(inference).run(inputs, outputs: outputs)[0])
        #expect(found.scalars(as: Float.self).elementsEqual([-1, 0, 1, 4]) { abs($0 - $1) < 1e-5 })
    }

    @Test(arguments: [Phase.inference, .training(frozenNormalization: true, seed: 0)])
    func frozenStatisticsStay(phase: Phase) throws {
        let (kernel, _, outputs) = try Self.kernel([2, 3, 4], phase: phase)
        #expect(kernel.mutatedInputs.isEmpty)
        let input = Tensor(shape: [2, 3, 4], scalars: (0..<24).map { Float($0) })
        let (mean, variance) = Self.statistics(after: 3, of: kernel, input: input, outputs: outputs)
        #expect(mean == [0, 0, 0])
        #expect(variance == [1, 1, 1])
    }

    @Test func perSampleGradientsNeedFrozenStatistics() throws {
        let phase = Phase.training(frozenNormalization: false, seed: 0)
        let (kernel, operation, outputs) = try Self.kernel([2, 3, 4], phase: phase)
        let channels = ValueFacts(dtype: .float32, shape: [3])
        let facts = [ValueFacts(dtype: .float32, shape: [2, 3, 4]), channels, channels, channels, channels]
        let context = BackwardContext(
            signature: Signature(inputs: facts, outputs: outputs), forward: kernel,
            outputGradientLayouts: [.plain], wanted: [false, true, true, false, false], phase: phase,
            threads: 1)
        let squares = try #require(operation as? any PerSampleSquares)
        #expect(throws: OperatorError.self) { try squares.lowerPerSampleSquares(context) }
    }
}
