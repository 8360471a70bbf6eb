import CSparseKernels
import EspalierTensors

/// What a machine can do at most: multiply-accumulates in `float32`, and bytes read from each level of its memory.
///
/// The two sides of a roofline (Williams, Waterman & Patterson 2009).
package struct MachineCeilings: Sendable, Codable, Hashable {
    /// One level of memory.
    package struct Level: Sendable, Codable, Hashable {
        /// `L1`, `L2`, `L3`, `memory`.
        package let name: String
        /// What the caches of all threads hold together; nil for memory.
        package let byteCount: Int?
        /// Read by all threads together.
        package let bytesPerSecond: Double

        package init(name: String, byteCount: Int?, bytesPerSecond: Double) {
            self.name = name
            self.byteCount = byteCount
            self.bytesPerSecond = bytesPerSecond
        }
    }

    package let threads: Int
    /// By all threads together.
    package let multiplyAccumulatesPerSecond: Double
    /// The nearest first; the last one has no size.
    package let levels: [Level]

    package init(threads: Int, multiplyAccumulatesPerSecond: Double, levels: [Level]) {
        self.threads = threads
        self.multiplyAccumulatesPerSecond = multiplyAccumulatesPerSecond
        self.levels = levels
    }

    /// The nearest level that holds so many bytes.
    ///
    /// - Precondition: there are levels, and the last one has no size.
    package func level(holding byteCount: Int) -> Level {
        levels.first { level in level.byteCount.map { byteCount <= $0 } ?? true } ?? levels[levels.count - 1]
    }

    /// Weights come from the level which holds all that runs between two uses of them, activations, which the step before
    /// has written, from the one which holds these.
    package func memorySeconds(weights: Int, activations: Int, resident: Int) -> Double {
        Double(weights) / level(holding: resident).bytesPerSecond
            + Double(activations) / level(holding: activations).bytesPerSecond
    }
}

extension MachineCeilings {
    /// What the calling thread's team reaches, by what one of its threads reaches times their number.
    var threadEfficiency: Double {
        guard threads > 1 else { return 1 }
        let count = ThreadTeam.count
        ThreadTeam.count = 1
        defer { ThreadTeam.count = count }
        return multiplyAccumulatesPerSecond / (Double(threads) * Self.peak())
    }

    /// Bytes that each level of cache holds, as far as the system tells.
    package static var cacheByteCounts: [Int] {
        let sizes = CacheSizes()
        return [sizes.first, sizes.second, sizes.third]
    }

    /// Multiply-accumulates per second of the calling thread's team.
    private static func peak() -> Double {
        let isa = espalier_isa_active()
        let turns = 50_000
        let multiplies = Double(ThreadTeam.count * turns * espalier_multiplies_per_turn(isa))
        return highestRate(of: multiplies, attempts: 60) {
            ThreadTeam.enter { _, _ in _ = espalier_multiply_in_registers(isa, turns) }
        }
    }

    /// Measures the machine with the calling thread's team, in a second or two: the larger the last cache, the longer.
    ///
    /// Each figure is the best of many short measurements: whatever else runs can only make them worse.
    package static func measured() -> MachineCeilings {
        let isa = espalier_isa_active()
        let threads = ThreadTeam.count
        let peak = peak()
        let sizes = CacheSizes()
        // Half of a cache is sure to stay there beside what else it must hold.
        let memory = min(max(4 * sizes.third, 64 << 20), 2 << 30, PhysicalMemory.byteCount / 8)
        let levels = [
            level("L1", holds: sizes.first * threads, reading: sizes.first / 2 * threads, isa),
            level("L2", holds: sizes.second * threads, reading: sizes.second / 2 * threads, isa),
            level("L3", holds: sizes.third, reading: sizes.third / 2, isa),
            level("memory", holds: nil, reading: memory, isa),
        ]
        return MachineCeilings(threads: threads, multiplyAccumulatesPerSecond: peak, levels: levels)
    }

    /// - Parameter byteCount: read by all threads together.
    private static func level(
        _ name: String, holds: Int?, reading byteCount: Int, _ isa: espalier_isa
    ) -> Level {
        let threads = ThreadTeam.count
        let granularity = espalier_read_granularity()
        let share = max(byteCount / MemoryLayout<Float>.size / threads / granularity, 1) * granularity
        let storage = AlignedStorage.written(byteCount: share * threads * MemoryLayout<Float>.size)
        let numbers = UnsafePointer(storage.base.assumingMemoryBound(to: Float.self))
        // So often that one measurement reads some megabytes.
        let passes = max(1, (2 << 20) / (share * threads * MemoryLayout<Float>.size))
        let rate = highestRate(
            of: Double(passes * storage.byteCount), attempts: storage.byteCount > 16 << 20 ? 5 : 40
        ) {
            ThreadTeam.enter { thread, _ in
                for _ in 0..<passes { _ = espalier_read(isa, numbers + thread * share, share) }
            }
        }
        return Level(name: name, byteCount: holds, bytesPerSecond: rate)
    }

    /// Work per second in the fastest of several attempts, after one that does not count.
    private static func highestRate(of work: Double, attempts: Int, _ body: () -> Void) -> Double {
        body()
        var shortest = Double.infinity
        for _ in 0..<attempts {
            let clock = ContinuousClock()
            let start = clock.now
            body()
            shortest = min(shortest, (clock.now - start) / .seconds(1))
        }
        return work / max(shortest, 1e-9)
    }
}
