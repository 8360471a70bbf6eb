/// Predicts what a product takes in a format, from what the machine can do and constants that were measured on it:
///
///     t = max(multiply-accumulates / peak, bytes / bandwidth) + weights * overhead + rows * overhead + fixed
package struct KernelCostModel: Sendable, Codable, Hashable {
    /// What a format's kernels are like on one machine, with one number of threads.
    package struct Constants: Sendable, Codable, Hashable {
        /// What its kernels reach where nothing else holds them up.
        package var multiplyAccumulatesPerSecond: Double
        /// On top, for each stored weight: finding its place among the inputs.
        package var secondsPerWeight: Double
        /// On top, for each row: beginning and ending a loop.
        package var secondsPerRow: Double
        package var fixedSeconds: Double

        package init(
            multiplyAccumulatesPerSecond: Double, secondsPerWeight: Double, secondsPerRow: Double,
            fixedSeconds: Double
        ) {
            self.multiplyAccumulatesPerSecond = multiplyAccumulatesPerSecond
            self.secondsPerWeight = secondsPerWeight
            self.secondsPerRow = secondsPerRow
            self.fixedSeconds = fixedSeconds
        }
    }

    package var ceilings: MachineCeilings
    package var formats: [KernelFormat: Constants]

    package init(ceilings: MachineCeilings, formats: [KernelFormat: Constants]) {
        self.ceilings = ceilings
        self.formats = formats
    }

    /// The parts of a predicted time, in seconds.
    package struct Prediction: Sendable, Hashable {
        package let compute: Double
        package let memory: Double
        package let weights: Double
        package let rows: Double
        package let fixed: Double

        package var seconds: Double { max(compute, memory) + weights + rows + fixed }

        /// The largest part.
        package var limit: Limit {
            let parts: [(limit: Limit, seconds: Double)] = [
                (.compute, compute), (.memory, memory), (.weights, weights), (.rows, rows), (.fixed, fixed),
            ]
            return parts.max { $0.seconds < $1.seconds }?.limit ?? .fixed
        }
    }

    /// What a product takes its time for.
    package enum Limit: String, Sendable, Codable, Hashable {
        case compute, memory, weights, rows, fixed
    }

    /// - Parameter residentByteCount: of all that is used between two runs of the product: where it fits, from there the
    ///   weights are read. Without it the weights alone.
    /// - Returns: nil if there are no constants for the format.
    package func prediction(
        _ work: KernelWork, format: KernelFormat, residentByteCount: Int? = nil
    ) -> Prediction? {
        guard let constants = formats[format] else { return nil }
        let weightByteCount = work.weightByteCount(format)
        return Prediction(
            compute: Double(work.multiplyAccumulates(format)) / constants.multiplyAccumulatesPerSecond,
            memory: memorySeconds(
                weights: weightByteCount, activations: work.activationByteCount,
                resident: residentByteCount ?? weightByteCount + work.activationByteCount),
            weights: Double(work.storedWeights(format)) * constants.secondsPerWeight,
            rows: Double(work.rows) * constants.secondsPerRow, fixed: constants.fixedSeconds)
    }

    /// Weights come from the level which holds all that runs between two uses of them, activations, which the step before
    /// has written, from the one which holds these.
    package func memorySeconds(weights: Int, activations: Int, resident: Int) -> Double {
        Double(weights) / ceilings.level(holding: resident).bytesPerSecond
            + Double(activations) / ceilings.level(holding: activations).bytesPerSecond
    }

    /// Predicted speedup of a format over dense; nil if there are no constants.
    package func speedup(_ work: KernelWork, format: KernelFormat) -> Double? {
        guard let dense = prediction(work, format: .dense), let own = prediction(work, format: format) else {
            return nil
        }
        return dense.seconds / own.seconds
    }
}
