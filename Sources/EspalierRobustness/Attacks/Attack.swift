import EspalierKernels
package import EspalierOperators
import EspalierTraining

/// A way to look for changes of samples that make a network err.
package protocol Attack: Sendable {
    /// What an attack may change at most is measured so.
    var norm: VectorNorm { get }

    /// How many times it begins anew.
    var attempts: Int { get }

    /// Whether one attempt at a batch of samples changes them so that the network tells another class; also true of samples of which it
    /// does so anyhow.
    ///
    /// - Parameter search: without changes yet.
    /// - Throws: `ExecutionError`, ``TrainingError``.
    func breaks(_ search: PerturbationSearch, attempt: Int, seed: UInt64) throws -> [Bool]
}

extension Attack {
    package var attempts: Int { 1 }

    /// Whether each of some samples was changed, within its own radius and within what samples can be, so that the network tells
    /// another class; also true of samples of which it does so anyhow.
    ///
    /// - Parameters:
    ///   - samples: positions in the network's data set.
    ///   - radii: for each, in units of ``InputUnits``.
    ///   - seed: of what is drawn; each sample draws from a stream of its own.
    /// - Throws: `ExecutionError`, ``TrainingError``.
    package func succeeds(
        on network: AttackedNetwork, samples: [Int], radii: [Double], seed: UInt64
    ) throws -> [Bool] {
        try network.lane.run {
            var broken = [Bool](repeating: false, count: samples.count)
            for attempt in 0..<max(1, attempts) {
                // What is broken needs no further attempt.
                let left = samples.indices.filter { !broken[$0] }
                for start in stride(from: 0, to: left.count, by: network.batchSize) {
                    let places = left[start..<min(start + network.batchSize, left.count)]
                    let search = PerturbationSearch(
                        network, samples: places.map { samples[$0] }, radii: places.map { radii[$0] },
                        norm: norm)
                    let found = try breaks(search, attempt: attempt, seed: seed)
                    for (place, isBroken) in zip(places, found) { broken[place] = isBroken }
                }
            }
            return broken
        }
    }

    /// The share of samples that the network gets right whatever an attack of `radius` does.
    package func accuracy(of network: AttackedNetwork, radius: Double, seed: UInt64 = 0) throws -> Double {
        let samples = Array(0..<network.dataset.sampleCount)
        let broken = try succeeds(
            on: network, samples: samples, radii: [Double](repeating: radius, count: samples.count),
            seed: seed)
        return Double(broken.count { !$0 }) / Double(max(1, samples.count))
    }

    /// For each sample a radius at which it succeeds, found by halving an interval `halvings` times; infinite where it does not at
    /// `largest`, zero where the network errs by itself.
    ///
    /// There may be smaller ones: an attack that fails proves nothing.
    package func smallestRadii(
        on network: AttackedNetwork, samples: [Int], largest: Double, halvings: Int = 10, seed: UInt64 = 0
    ) throws -> [Double] {
        func broken(_ places: [Int], _ radii: [Double]) throws -> [Bool] {
            try succeeds(on: network, samples: places.map { samples[$0] }, radii: radii, seed: seed)
        }
        let places = Array(samples.indices)
        let byItself = try broken(places, places.map { _ in 0 })
        let atAll = try broken(places, places.map { _ in largest })
        var low = places.map { _ in 0.0 }
        var high = places.map { byItself[$0] ? 0 : atAll[$0] ? largest : .infinity }
        let open = places.filter { high[$0] > 0 && high[$0].isFinite }
        for _ in 0..<halvings where !open.isEmpty {
            let radii = open.map { (low[$0] + high[$0]) / 2 }
            for (place, (radius, isBroken)) in zip(open, zip(radii, try broken(open, radii))) {
                if isBroken { high[place] = radius } else { low[place] = radius }
            }
        }
        return high
    }
}
