/// Finds how much to remove from each layer so that a target is met with nothing to spare.
///
/// Each layer offers removals in the order of their keys. In the order of keys over all layers, the shortest
/// prefix is taken for which `isMet` says yes: what greedy removal, one by one, would do, in a number of
/// questions that is logarithmic.
struct Allocation {
    struct Layer {
        /// The number of removals there are, in ascending order of keys.
        let stepCount: Int
        /// The number of them that may be made.
        let limit: Int
        let key: @Sendable (Int) -> Double

        /// How many removals have keys of at most `threshold` (or below it).
        func count(upTo threshold: Double, inclusive: Bool = true) -> Int {
            var (low, high) = (0, stepCount)
            while low < high {
                let middle = (low + high) / 2
                let key = key(middle)
                if key < threshold || (inclusive && key == threshold) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
    }

    /// Removals made, by layer.
    let counts: [Int]
    /// What would have been made if layers had no limits.
    let wanted: [Int]

    /// What `request` asks of layers.
    ///
    /// - Parameters:
    ///   - meters: of all its targets but ``PruningTarget/completion(_:)``.
    ///   - removals: what so many removals from each layer amount to.
    /// - Throws: ``PruningError/infeasible(target:nearest:hint:)``.
    static func allocating<Removals>(
        _ request: PruningRequest, among layers: [Layer], meters: [TargetMeter<Removals>],
        hint: @autoclosure () -> String, removals: ([Int]) -> Removals
    ) throws(PruningError) -> Allocation {
        func unmet(_ counts: [Int]) -> TargetMeter<Removals>? {
            let removals = removals(counts)
            return meters.first { !$0.isMet(removals) }
        }
        func infeasible(_ meter: TargetMeter<Removals>, _ counts: [Int]) -> PruningError {
            .infeasible(target: meter.target, nearest: meter.value(removals(counts)), hint: hint())
        }
        if let completion = request.completion {
            let allocation = Allocation(layers, upTo: completion)
            // On the way nothing is met yet.
            guard completion == 1, let meter = unmet(allocation.counts) else { return allocation }
            throw infeasible(meter, allocation.counts)
        }
        if let allocation = meeting(layers, isMet: { unmet($0) == nil }) { return allocation }
        let limits = layers.map(\.limit)
        throw infeasible(unmet(limits) ?? meters[0], limits)
    }

    private init(counts: [Int], wanted: [Int]) {
        self.counts = counts
        self.wanted = wanted
    }

    /// All removals whose keys are at most `threshold`.
    init(_ layers: [Layer], upTo threshold: Double) {
        wanted = layers.map { $0.count(upTo: threshold) }
        counts = zip(wanted, layers).map { min($0, $1.limit) }
    }

    /// - Parameter isMet: whether removing so many from each layer is enough; never yes for less and no for
    ///   more.
    /// - Returns: nil if even the limits are not enough.
    static func meeting(_ layers: [Layer], isMet: ([Int]) -> Bool) -> Allocation? {
        func counts(_ threshold: Double, inclusive: Bool = true) -> (wanted: [Int], made: [Int]) {
            let wanted = layers.map { $0.count(upTo: threshold, inclusive: inclusive) }
            return (wanted, zip(wanted, layers).map { min($0, $1.limit) })
        }
        if isMet(layers.map { _ in 0 }) {
            let none = layers.map { _ in 0 }
            return Allocation(counts: none, wanted: none)
        }
        guard isMet(layers.map(\.limit)) else { return nil }
        // The least threshold that is enough, bit by bit: exact for all numbers. A question is asked again
        // only if its counts lie strictly between those answered.
        var (low, high) = (ordinal(-.infinity), ordinal(.infinity))
        var (enough, tooFew) = (layers.map(\.limit), layers.map { _ in 0 })
        while low < high {
            let middle = low + (high - low) / 2
            let made = counts(value(middle)).made
            if made == enough || (made != tooFew && isMet(made)) {
                (high, enough) = (middle, made)
            } else {
                (low, tooFew) = (middle + 1, made)
            }
        }
        let threshold = value(high)
        // Among equal keys the earlier layer goes first, one removal at a time.
        var (_, made) = counts(threshold, inclusive: false)
        let (wanted, all) = counts(threshold)
        for layer in layers.indices where !isMet(made) {
            var (few, many) = (made[layer], all[layer])
            while few < many {
                let middle = (few + many) / 2
                made[layer] = middle
                if isMet(made) { many = middle } else { few = middle + 1 }
            }
            made[layer] = many
        }
        // A layer that was not held back wanted what it got: ties that were not needed do not count.
        let asked = layers.indices.map { all[$0] < wanted[$0] ? wanted[$0] : made[$0] }
        return Allocation(counts: made, wanted: asked)
    }

    /// Order-preserving numbers for all non-NaN doubles.
    private static func ordinal(_ value: Double) -> UInt64 {
        let bits = value.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    private static func value(_ ordinal: UInt64) -> Double {
        Double(bitPattern: ordinal >> 63 == 1 ? ordinal & ~(1 << 63) : ~ordinal)
    }
}
