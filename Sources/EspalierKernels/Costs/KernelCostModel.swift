/// Predicts what a product takes in a format, from what the machine can do and constants that were measured on it:
///
///     t = max(multiply-accumulates / peak, bytes / bandwidth) + visits * a + sums * b + copies * c + shifts * d + fixed
package struct KernelCostModel: Sendable, Codable, Hashable {
    /// What a format's kernels are like on one machine, with one number of threads.
    package struct Constants: Sendable, Codable, Hashable {
        /// What its kernels reach where nothing else holds them up.
        package var multiplyAccumulatesPerSecond: Double
        /// On top, for finding the place of a stored weight among the inputs.
        package var secondsPerVisit: Double
        /// On top, for beginning and ending a sum.
        package var secondsPerSum: Double
        /// On top, for bringing an input to where it is used.
        package var secondsPerCopy: Double
        /// On top of that, where a convolution has several taps.
        package var secondsPerShift: Double
        package var fixedSeconds: Double

        package init(
            multiplyAccumulatesPerSecond: Double, secondsPerVisit: Double = 0, secondsPerSum: Double = 0,
            secondsPerCopy: Double = 0, secondsPerShift: Double = 0, fixedSeconds: Double = 0
        ) {
            self.multiplyAccumulatesPerSecond = multiplyAccumulatesPerSecond
            self.secondsPerVisit = secondsPerVisit
            self.secondsPerSum = secondsPerSum
            self.secondsPerCopy = secondsPerCopy
            self.secondsPerShift = secondsPerShift
            self.fixedSeconds = fixedSeconds
        }
    }

    /// What it takes to copy activations from one layout to another.
    package struct Reorders: Sendable, Codable, Hashable {
        /// From channels last to row-major.
        package var secondsPerByteToPlain: Double
        package var secondsPerByteToChannelsLast: Double

        package init(secondsPerByteToPlain: Double, secondsPerByteToChannelsLast: Double) {
            self.secondsPerByteToPlain = secondsPerByteToPlain
            self.secondsPerByteToChannelsLast = secondsPerByteToChannelsLast
        }
    }

    /// What one thread of several does by itself, where the work is too small to share.
    package struct Alone: Sendable, Codable, Hashable {
        package var ceilings: MachineCeilings
        package var formats: [KernelFormat: Constants]

        package init(ceilings: MachineCeilings, formats: [KernelFormat: Constants]) {
            self.ceilings = ceilings
            self.formats = formats
        }
    }

    package var ceilings: MachineCeilings
    package var formats: [KernelFormat: Constants]
    package var reorders: Reorders
    /// nil if there is one thread.
    package var alone: Alone?

    package init(
        ceilings: MachineCeilings, formats: [KernelFormat: Constants], reorders: Reorders,
        alone: Alone? = nil
    ) {
        self.ceilings = ceilings
        self.formats = formats
        self.reorders = reorders
        self.alone = alone
    }

    /// The parts of a predicted time, in seconds.
    package struct Prediction: Sendable, Hashable {
        package let compute: Double
        package let memory: Double
        package let visits: Double
        package let sums: Double
        package let copies: Double
        package let fixed: Double

        package var seconds: Double { max(compute, memory) + visits + sums + copies + fixed }

        /// The largest part.
        package var limit: Limit {
            let parts: [(limit: Limit, seconds: Double)] = [
                (.compute, compute), (.memory, memory), (.visits, visits), (.sums, sums), (.copies, copies),
                (.fixed, fixed),
            ]
            return parts.max { $0.seconds < $1.seconds }?.limit ?? .fixed
        }
    }

    /// What a product takes its time for.
    package enum Limit: String, Sendable, Codable, Hashable {
        case compute, memory, visits, sums, copies, fixed
    }

    /// - Parameter residentByteCount: of all that is used between two runs of the product: where it fits, from there the
    ///   weights are read. Without it the weights alone.
    /// - Returns: nil if there are no constants for the format.
    package func prediction(
        _ work: KernelWork, format: KernelFormat, residentByteCount: Int? = nil
    ) -> Prediction? {
        let isShared = ThreadTeam.size(for: work.teamWork(format), of: ceilings.threads) > 1
        let together = Alone(ceilings: ceilings, formats: formats)
        let kernels = isShared ? together : alone ?? together
        guard let constants = kernels.formats[format] else { return nil }
        let weightByteCount = work.weightByteCount(format)
        return Prediction(
            compute: Double(work.multiplyAccumulates(format)) / constants.multiplyAccumulatesPerSecond,
            memory: kernels.ceilings.memorySeconds(
                weights: weightByteCount, activations: work.activationByteCount,
                resident: residentByteCount ?? weightByteCount + work.activationByteCount),
            visits: work.visits(format) * constants.secondsPerVisit,
            sums: work.sums(format) * constants.secondsPerSum,
            copies: work.copies(format) * constants.secondsPerCopy
                + work.shiftedCopies(format) * constants.secondsPerShift, fixed: constants.fixedSeconds)
    }

    /// Predicted speedup of a format over dense; nil if there are no constants.
    package func speedup(_ work: KernelWork, format: KernelFormat) -> Double? {
        guard let dense = prediction(work, format: .dense), let own = prediction(work, format: format) else {
            return nil
        }
        return dense.seconds / own.seconds
    }
}
