package import EspalierTensors

/// What happened over many simulated removals: the Monte Carlo twin of the closed forms, which shares nothing with them but
/// the group sizes.
package struct RemovalTally: Sendable, Equatable {
    package let trials: Int
    /// Trials in which no group failed.
    package private(set) var survivals = 0
    /// Per group, the trials in which it failed.
    package private(set) var failures: [Int]

    private let groups: GroupSizes

    fileprivate init(trials: Int, groups: GroupSizes) {
        self.trials = trials
        self.groups = groups
        failures = [Int](repeating: 0, count: groups.sizes.count)
    }

    /// Takes up one trial.
    fileprivate mutating func record(_ fails: (_ group: Int, _ size: Int) -> Bool) {
        var survives = true
        for (group, size) in groups.sizes.enumerated() where fails(group, size) {
            failures[group] += 1
            survives = false
        }
        if survives { survivals += 1 }
    }

    /// The mean number of failed groups.
    package var meanFailures: Double { Double(failures.reduce(0, +)) / Double(trials) }

    /// Trials in which the first group of `size` units failed. Groups of one trial need not be independent, which an
    /// interval over all groups of a size would take them for.
    package func failuresOfFirst(size: Int) -> Int {
        groups.sizes.firstIndex(of: size).map { failures[$0] } ?? 0
    }
}

extension IndependentRemoval {
    /// Removes units one by one, `trials` times over.
    ///
    /// - Precondition: `trials > 0`.
    package func simulate(trials: Int, random: inout RandomSource) -> RemovalTally {
        var tally = RemovalTally(trials: trials, groups: groups)
        for _ in 0..<trials {
            tally.record { _, size in
                // Once a unit stays, the rest of its group decide nothing.
                for _ in 0..<size where random.uniform() >= rate { return false }
                return true
            }
        }
        return tally
    }
}

extension UniformRemoval {
    /// Draws k of the n units without replacement, `trials` times over.
    ///
    /// - Precondition: `trials > 0`.
    package func simulate(trials: Int, random: inout RandomSource) -> RemovalTally {
        var tally = RemovalTally(trials: trials, groups: groups)
        var owners = groups.sizes.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
        for _ in 0..<trials {
            var left = groups.sizes
            // The first k of a shuffle. It may start from the order that the last trial left.
            for i in 0..<removed {
                owners.swapAt(i, i + random.index(below: owners.count - i))
                left[owners[i]] -= 1
            }
            tally.record { group, _ in left[group] == 0 }
        }
        return tally
    }
}
