package import EspalierGraphs
package import EspalierTensors

/// How far the cut network's outputs are from the masked one's on the same inputs. In exact arithmetic not at
/// all.
package struct Verification: Sendable, Codable, Hashable {
    package let maxAbsoluteDifference: Double
    /// The largest absolute output of the masked network.
    package let outputMagnitude: Double
    /// The largest of any output, each relative to its own range.
    ///
    /// An output that is zero or tiny is what rounding leaves of sums as large as other outputs: a range counts as a thousandth
    /// of the largest at least.
    package let relativeDifference: Double

    /// The largest difference of two lists of outputs; not-a-number and infinity differ infinitely from all
    /// but themselves.
    ///
    /// - Returns: nil if numbers or shapes differ.
    package init?(comparing outputs: [Tensor], with expected: [Tensor]) {
        self.init(comparingBatches: [outputs], with: [expected])
    }

    /// The same of the outputs for several inputs, one list for each.
    package init?(comparingBatches outputs: [[Tensor]], with expected: [[Tensor]]) {
        let count = expected.first?.count ?? 0
        guard outputs.count == expected.count, (outputs + expected).allSatisfy({ $0.count == count }) else {
            return nil
        }
        var differences = [TensorDifference](repeating: TensorDifference(), count: count)
        for (outputs, expected) in zip(outputs, expected) {
            for place in differences.indices {
                guard outputs[place].shape == expected[place].shape else { return nil }
                differences[place].compare(expected[place], outputs[place])
            }
        }
        let magnitude = differences.map(\.range).max() ?? 0
        let least = max(Self.leastShare * magnitude, Self.leastRange)
        maxAbsoluteDifference = differences.map(\.maxAbsolute).max() ?? 0
        outputMagnitude = magnitude
        relativeDifference = differences.map { $0.maxAbsolute / max($0.range, least) }.max() ?? 0
    }

    private static let leastShare = 1e-3
    private static let leastRange = 1e-6

    /// Whether the difference is what rounding in another order of summation explains.
    package func isWithin(relative tolerance: Double) -> Bool { relativeDifference <= tolerance }
}

extension Pruner {
    /// Runs both the masked and the cut network on `inputs` and compares.
    ///
    /// - Parameter run: runs a graph on inputs given by identity, and returns its outputs in order;
    ///   ``ReferenceRunner/run(_:inputs:)`` is one such.
    /// - Throws: ``PruningError``, and what `run` throws.
    package func verify(
        _ plan: PrunePlan, inputs: [ValueID: Tensor],
        run: (_ graph: Graph, _ inputs: [ValueID: Tensor]) throws -> [Tensor]
    ) throws -> Verification {
        try verify(plan) { [try run($0, inputs)] }
    }

    /// The same on inputs that `run` knows: it returns the outputs for each of them.
    package func verify(_ plan: PrunePlan, run: (Graph) throws -> [[Tensor]]) throws -> Verification {
        let expected = try run(try masked(try masks(of: plan)))
        let outputs = try run(try applying(plan))
        guard let verification = Verification(comparingBatches: outputs, with: expected) else {
            throw PruningError.surgery("the outputs' shapes changed")
        }
        return verification
    }
}
