extension RunRecord {
    /// How fast one network runs, and how that compares with what its zeros or cuts promise: one of the results of `bench`.
    ///
    /// Costs are those of one inference, all samples of the batch together.
    public struct BenchmarkedModel: Codable, Sendable, Equatable {
        public var path: String
        public var threads: Int
        /// Samples of one inference.
        public var batch: Int
        /// With which numbers products by constant weights were computed, `float32`, `bfloat16` or `int8-weights`, and where no zeros
        /// were left out, in the dense execution as in this one; absent in records from before there was a choice.
        public var precision: String?
        public var densePrecision: String?
        /// How far the outputs are from those computed in `float32`; absent where that is what they were computed in.
        public var precisionLoss: PrecisionLoss?
        public var medianMs: Double
        public var p10Ms: Double
        public var p90Ms: Double
        /// The reference executed dense: the first model, which for that one is itself.
        public var denseMs: Double
        public var denseP10Ms: Double
        public var denseP90Ms: Double
        /// This network executed dense, if it is not the first.
        public var ownDenseMs: Double?
        /// Alternating rounds, in each of which all were measured.
        public var rounds: Int
        /// How long all of them together were measured, and how often the system gave the processor to somebody else
        /// meanwhile: then long inferences look slower than they are.
        public var measuredSeconds: Double?
        public var interruptions: Int?
        /// Of the reference, all weights counted.
        public var denseMacs: Int
        /// Of this network, all weights counted, and those with weights that are not zero.
        public var macs: Int
        public var remainingMacs: Int
        /// Dense MACs by remaining MACs.
        public var theoreticalSpeedup: Double
        /// The dense time by this network's, in the median over rounds, and its spread.
        public var actualSpeedup: Double
        public var actualSpeedupP10: Double
        public var actualSpeedupP90: Double
        /// Actual by theoretical speedup.
        public var realizedEfficiency: Double
        public var peer: PeerLatency?
        /// In the order in which they run.
        public var layers: [BenchmarkedLayer]

        public init(
            path: String, threads: Int, batch: Int, milliseconds: Spread, dense: Spread,
            ownDenseMs: Double?, rounds: Int, denseMacs: Int, macs: Int, remainingMacs: Int,
            speedup: Spread, peer: PeerLatency?, layers: [BenchmarkedLayer]
        ) {
            self.path = path
            self.threads = threads
            self.batch = batch
            (medianMs, p10Ms, p90Ms) = (milliseconds.median, milliseconds.p10, milliseconds.p90)
            (denseMs, denseP10Ms, denseP90Ms) = (dense.median, dense.p10, dense.p90)
            self.ownDenseMs = ownDenseMs
            self.rounds = rounds
            self.denseMacs = denseMacs
            self.macs = macs
            self.remainingMacs = remainingMacs
            theoreticalSpeedup = Self.theoreticalSpeedup(dense: denseMacs, remaining: remainingMacs)
            (actualSpeedup, actualSpeedupP10, actualSpeedupP90) = (speedup.median, speedup.p10, speedup.p90)
            realizedEfficiency = speedup.median / theoreticalSpeedup
            self.peer = peer
            self.layers = layers
        }

        /// Whether so much else ran on the machine that times are doubtful: more than ten interruptions in a second.
        public var isDisturbed: Bool {
            guard let interruptions, let measuredSeconds else { return false }
            return Double(interruptions) > 10 * measuredSeconds
        }

        /// Whether dense layers were to be computed in `bfloat16`, for which the processor has no instructions.
        public var lacksPrecision: Bool { precision == "bfloat16" && densePrecision == "float32" }

        /// What a machine would gain that does nothing but the multiply-accumulates that are left.
        public static func theoreticalSpeedup(dense: Int, remaining: Int) -> Double {
            // Without any there is nothing to gain; with none left there is no bound.
            remaining > 0 ? Double(dense) / Double(remaining) : dense > 0 ? .infinity : 1
        }
    }

    /// The middle of measurements, and what a tenth of them lie below and above.
    public struct Spread: Codable, Sendable, Equatable {
        public var median: Double
        public var p10: Double
        public var p90: Double

        public init(median: Double, p10: Double, p90: Double) {
            self.median = median
            self.p10 = p10
            self.p90 = p90
        }
    }

    /// The largest difference between outputs in another precision and in `float32`.
    public struct PrecisionLoss: Codable, Sendable, Equatable {
        public var maxAbsoluteDifference: Double
        /// The largest magnitude of the outputs in `float32`.
        public var outputRange: Double
        /// The largest of any output, relative to that output's own range.
        public var relativeDifference: Double

        public init(maxAbsoluteDifference: Double, outputRange: Double, relativeDifference: Double) {
            self.maxAbsoluteDifference = maxAbsoluteDifference
            self.outputRange = outputRange
            self.relativeDifference = relativeDifference
        }
    }

    /// The same model in another runtime, measured in turns with ours.
    public struct PeerLatency: Codable, Sendable, Equatable {
        public var name: String
        public var version: String
        /// Why there are no figures, if so.
        public var problem: String?
        public var milliseconds: Spread?
        /// How many times as long as ours the peer took, by rounds: above 1 ours is faster. Ours with zeros left out, and
        /// executed dense.
        public var speedup: Spread?
        public var denseSpeedup: Spread?
        /// Between its outputs and ours, and the largest magnitude of ours.
        public var maxAbsoluteDifference: Double?
        public var outputRange: Double?

        public init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    /// One step of a network: a layer with what is fused into it, or a move of memory between two.
    public struct BenchmarkedLayer: Codable, Sendable, Equatable {
        /// The nodes that it computes, or what is moved.
        public var name: String
        /// Median microseconds, and of the step in the dense execution of the same network. Absent where one execution has no
        /// such step.
        public var medianUs: Double?
        public var denseUs: Double?
        public var macs: Int
        public var remainingMacs: Int
        /// Of multiply-accumulates with weights that are not zero, each counted as two operations.
        public var usefulGflops: Double?
        public var theoreticalSpeedup: Double?
        public var actualSpeedup: Double?
        public var realizedEfficiency: Double?
        /// Shares of what the machine can do at most: multiply-accumulates, and bytes from where they lie.
        public var computeShare: Double?
        public var bandwidthShare: Double?
        /// How its weights are kept: `dense`, `rows`, `tiles`, `bands`, with `-bfloat16` or `-int8` where they are narrower
        /// than `float32`; absent if there was no choice.
        public var format: String?
        /// By the cost model, the error relative to the measured time, and which of its parts is the largest: `compute`,
        /// `memory`, `visits`, `sums`, `copies`, `fixed`.
        public var predictedUs: Double?
        public var predictionError: Double?
        public var limit: String?
        /// Whether it runs by the plain implementation, for want of a fast one; absent if not.
        public var isReference: Bool?

        public init(name: String, macs: Int, remainingMacs: Int) {
            self.name = name
            self.macs = macs
            self.remainingMacs = remainingMacs
        }
    }

    /// What the machine can do at most, by all threads together.
    public struct Ceilings: Codable, Sendable, Equatable {
        public var gflops: Double
        public var levels: [MemoryCeiling]

        public init(gflops: Double, levels: [MemoryCeiling]) {
            self.gflops = gflops
            self.levels = levels
        }
    }

    /// Reading from one level of memory.
    public struct MemoryCeiling: Codable, Sendable, Equatable {
        /// `L1`, `L2`, `L3`, `memory`.
        public var name: String
        /// Its size; absent for memory.
        public var bytes: Int?
        public var gigabytesPerSecond: Double

        public init(name: String, bytes: Int?, gigabytesPerSecond: Double) {
            self.name = name
            self.bytes = bytes
            self.gigabytesPerSecond = gigabytesPerSecond
        }
    }
}
