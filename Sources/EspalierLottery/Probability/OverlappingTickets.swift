import Foundation

/// Candidates that share weights: each of the m is a set of r of the network's n weights, drawn at random.
///
/// One candidate is whole as often as a disjoint one, so that the mean number of tickets is m s^r all the same. But given
/// that K weights are kept, each is whole with probability h(K) = C(K, r) / C(n, r), and all of them depend on the same K:
/// P = a E[1 - (1 - h(K))^m], K binomial. Since 1 - (1 - h)^m is concave in h, that is at most what
/// ``TicketProbability`` says (Jensen's inequality), with equality for m = 1.
package struct OverlappingTickets: Sendable, Equatable {
    package let trainability: Double
    package let share: Double
    /// r: the weights of a candidate.
    package let size: Int
    /// m: the candidates.
    package let count: Int
    /// n: the weights that candidates are drawn from.
    package let weightCount: Int

    /// - Throws: ``TicketError/outOfRange(_:value:allowed:)`` unless a and s are in 0...1, m is not negative, and
    ///   0 <= r <= n <= 1,000,000.
    package init(
        trainability: Double, share: Double, size: Int, count: Int, weightCount: Int
    ) throws(TicketError) {
        try TicketProbability.check(trainability: trainability)
        try TicketProbability.check(share: share)
        try TicketProbability.check(count: Double(count))
        guard (0...Self.mostWeights).contains(weightCount) else {
            throw .outOfRange(
                "the number of weights", value: "\(weightCount)",
                allowed: "between 0 and \(Self.mostWeights)")
        }
        guard (0...weightCount).contains(size) else {
            throw .outOfRange(
                "the size r", value: "\(size)", allowed: "between 0 and the \(weightCount) weights")
        }
        self.trainability = trainability
        self.share = share
        self.size = size
        self.count = count
        self.weightCount = weightCount
    }

    /// Up to here the logarithms of ``foundProbability``, summed up one by one, keep it exact to 1e-7.
    private static let mostWeights = 1_000_000

    /// a E[1 - (1 - h(K))^m].
    package var probability: Double { trainability * foundProbability }

    /// E[1 - (1 - h(K))^m], a sum over the n + 1 values of K.
    package var foundProbability: Double {
        guard count > 0 else { return 0 }
        guard share < 1 else { return 1 }
        guard share > 0 else { return size == 0 ? 1 : 0 }
        let (n, odds) = (weightCount, log(share) - log1p(-share))
        // ln of the probability of K = k, and ln h(k), from k = n downward by their ratios.
        var (logKept, logWhole, sum) = (Double(n) * log(share), 0.0, 0.0)
        for kept in stride(from: n, through: size, by: -1) {
            sum += exp(
                logKept
                    + LogProbability.inverseComplementaryLogLog(
                        log(Double(count)) + LogProbability.complementaryLogLog(logWhole)))
            logKept += log(Double(kept) / Double(n - kept + 1)) - odds
            logWhole += log(Double(kept - size) / Double(kept))
        }
        return min(1, sum)
    }
}
