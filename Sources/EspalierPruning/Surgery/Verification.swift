package import EspalierGraphs
package import EspalierTensors

/// How far the cut network's outputs are from the masked one's on the same inputs. In exact arithmetic not at
/// all.
package struct Verification: Sendable, Codable, Hashable {
    package let maxAbsoluteDifference: Double
    /// The largest absolute output of the masked network, to judge the difference by.
    package let outputMagnitude: Double

    package init(maxAbsoluteDifference: Double, outputMagnitude: Double) {
        self.maxAbsoluteDifference = maxAbsoluteDifference
        self.outputMagnitude = outputMagnitude
    }

    /// The largest difference of two lists of outputs; not-a-number and infinity differ infinitely from all
    /// but themselves.
    ///
    /// - Returns: nil if numbers or shapes differ.
    package init?(comparing outputs: [Tensor], with expected: [Tensor]) {
        guard outputs.count == expected.count else { return nil }
        var (difference, magnitude) = (0.0, 0.0)
        for (output, expected) in zip(outputs, expected) {
            guard output.shape == expected.shape else { return nil }
            for (left, right) in zip(output.scalars(as: Double.self), expected.scalars(as: Double.self)) {
                if left == right || (left.isNaN && right.isNaN) {
                    if right.isFinite { magnitude = max(magnitude, right.magnitude) }
                    continue
                }
                let distance = (left - right).magnitude
                difference = max(difference, distance.isNaN ? .infinity : distance)
                magnitude = max(magnitude, right.magnitude)
            }
        }
        maxAbsoluteDifference = difference
        outputMagnitude = magnitude
    }

    /// Whether the difference is what rounding in another order of summation explains.
    package func isWithin(relative tolerance: Double) -> Bool {
        maxAbsoluteDifference <= tolerance * max(outputMagnitude, 1e-6)
    }
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
        try verify(plan) { try run($0, inputs) }
    }

    /// The same on inputs that `run` knows; it may return outputs for several.
    package func verify(_ plan: PrunePlan, run: (Graph) throws -> [Tensor]) throws -> Verification {
        let expected = try run(try masked(try masks(of: plan)))
        let outputs = try run(try applying(plan))
        guard let verification = Verification(comparing: outputs, with: expected) else {
            throw PruningError.surgery("the outputs' shapes changed")
        }
        return verification
    }
}
