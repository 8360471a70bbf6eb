import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// What the conformance suite cannot know of pooling: windows that no network asks for.
struct PoolingTests {
    /// A window, and what it slides over.
    struct Case: Sendable, CustomTestStringConvertible {
        let kernel: [Int64]
        /// Before and after each axis, where padding is not automatic.
        var padding: Int64 = 0
        var automatic = "NOTSET"
        let input: Shape

        var testDescription: String { "\(kernel) \(padding) \(automatic) over \(input)" }

        /// The shape of what a pooling operator gives.
        func output(_ type: String) throws -> Shape {
            var attributes: [String: Attribute] = [
                "kernel_shape": .ints(kernel), "auto_pad": .text(automatic),
            ]
            if padding > 0 {
                attributes["pads"] = .ints([Int64](repeating: padding, count: 2 * kernel.count))
            }
            let node = Node(
                id: NodeID(index: 0), name: "", operatorName: OperatorName(type), inputs: [], outputs: [],
                attributes: attributes)
            let pooling = try Catalog.resolve(node, opsetVersion: 17).get()
            let facts = try pooling.inferOutputs(
                OperatorInputs([ValueFacts(dtype: .float32, shape: input)]))
            return facts[0].shape
        }
    }

    @Test(
        arguments: ["MaxPool", "AveragePool"],
        [
            Case(kernel: [1_000_000, 1_000_000], padding: 500_000, input: [1, 3, 8, 8]),
            Case(kernel: [1_000_000, 1_000_000], automatic: "SAME_UPPER", input: [1, 3, 8, 8]),
            // The product of these extents is no number of 64 bits.
            Case(kernel: [1 << 24, 1 << 24, 1 << 24], automatic: "SAME_LOWER", input: [1, 3, 8, 8, 8]),
        ])
    func hugeWindowsAreRefused(type: String, window: Case) throws {
        let error = try #require(throws: OperatorError.self) { try window.output(type) }
        guard case .attribute("kernel_shape", let problem) = error else { throw error }
        #expect(problem.contains("far larger"), "\(problem)")
    }

    @Test(arguments: ["MaxPool", "AveragePool"])
    func largeWindowsOverLargeOrSmallPlanesAreNot(type: String) throws {
        #expect(try Case(kernel: [512, 512], input: [1, 3, 512, 512]).output(type) == [1, 3, 1, 1])
        // As pyramids of pooling have them, whatever is left of the image.
        #expect(try Case(kernel: [13, 13], padding: 6, input: [1, 3, 1, 1]).output(type) == [1, 3, 1, 1])
    }
}
