import Foundation

/// What must be so that P = a [1 - (1 - s^r)^m] is a wanted probability.
extension TicketProbability {
    /// The m with which P is `probability`.
    ///
    /// - Throws: ``TicketError/undetermined(_:reason:)`` where no number of candidates is enough: P < a unless every weight
    ///   is kept; ``TicketError/outOfRange(_:value:allowed:)``.
    package static func count(
        probability: Double, trainability: Double, share: Double, size: Double
    ) throws(TicketError) -> Double {
        try check(share: share)
        try check(size: size)
        let found = try found(probability, trainability, asking: "the count m")
        if found == 0 { return 0 }
        let logWhole = size == 0 ? 0 : size * log(share)
        // Every candidate is whole, and one is enough.
        if logWhole == 0 { return 1 }
        guard found < 1 else {
            throw .undetermined(
                "the count m",
                reason: "P = \(probability) is the trainability a itself, which finitely many candidates miss"
            )
        }
        guard logWhole > -.infinity else {
            throw .undetermined("the count m", reason: "with s = 0 no candidate is ever kept whole")
        }
        let count = exp(log(-log1p(-found)) - LogProbability.complementaryLogLog(logWhole))
        guard count.isFinite else {
            throw .undetermined("the count m", reason: "it is more than \(Double.greatestFiniteMagnitude)")
        }
        return count
    }

    /// The least whole m with which P is at least `probability`; up to 2^53 it is exact but for the rounding of P itself.
    ///
    /// - Throws: as ``count(probability:trainability:share:size:)``.
    package static func wholeCount(
        probability: Double, trainability: Double, share: Double, size: Double
    ) throws(TicketError) -> Double {
        let count = try count(
            probability: probability, trainability: trainability, share: share, size: size)
        // A quotient of logarithms that is meant to be whole may be just above it.
        let below = count.rounded(.down)
        let ticket = try TicketProbability(
            trainability: trainability, share: share, size: size, count: below)
        return ticket.probability >= probability ? below : below + 1
    }

    /// The s with which P is `probability`: (1 - (1 - P/a)^(1/m))^(1/r).
    ///
    /// - Throws: ``TicketError/undetermined(_:reason:)`` where P > a, or m or r is 0 and s decides nothing;
    ///   ``TicketError/outOfRange(_:value:allowed:)``.
    package static func share(
        probability: Double, trainability: Double, size: Double, count: Double
    ) throws(TicketError) -> Double {
        try check(size: size)
        guard size > 0 else {
            throw .undetermined("the share s", reason: "candidates of no weights are always whole")
        }
        return exp(
            try logWhole(probability, trainability, count: count, asking: "the share s") / size)
    }

    /// The r with which P is `probability`: ln(1 - (1 - P/a)^(1/m)) / ln s.
    ///
    /// - Throws: ``TicketError/undetermined(_:reason:)`` where P > a, P is 0, m is 0, or s is 0 or 1 and r decides nothing;
    ///   ``TicketError/outOfRange(_:value:allowed:)``.
    package static func size(
        probability: Double, trainability: Double, share: Double, count: Double
    ) throws(TicketError) -> Double {
        try check(share: share)
        guard share > 0, share < 1 else {
            throw .undetermined(
                "the size r",
                reason: "with s = \(share) candidates of any size are \(share == 0 ? "lost" : "kept")")
        }
        let logWhole = try logWhole(probability, trainability, count: count, asking: "the size r")
        guard logWhole > -.infinity else {
            throw .undetermined("the size r", reason: "P = 0 takes candidates of endless size")
        }
        // Not minus zero.
        return max(0, logWhole / log(share))
    }

    /// ln(1 - (1 - P/a)^(1/m)): of the probability that one candidate must be whole with.
    private static func logWhole(
        _ probability: Double, _ trainability: Double, count: Double, asking name: String
    ) throws(TicketError) -> Double {
        try check(count: count)
        let found = try found(probability, trainability, asking: name)
        guard count > 0 else { throw .undetermined(name, reason: "without candidates P is 0") }
        // As a rate and not as a power, which would round to 1 for many candidates.
        return found == 0
            ? -.infinity : LogProbability.inverseComplementaryLogLog(log(-log1p(-found)) - log(count))
    }

    /// P / a, where that is a probability.
    private static func found(
        _ probability: Double, _ trainability: Double, asking name: String
    ) throws(TicketError) -> Double {
        try check(trainability: trainability)
        guard (0...1).contains(probability) else {
            throw .outOfRange("the probability P", value: "\(probability)", allowed: "between 0 and 1")
        }
        guard probability <= trainability else {
            throw .undetermined(
                name,
                reason:
                    "P = \(probability) is more than the trainability a = \(trainability), which bounds it")
        }
        guard trainability > 0 else {
            throw .undetermined(name, reason: "with a = 0 training never succeeds, whatever is kept")
        }
        return probability / trainability
    }
}
