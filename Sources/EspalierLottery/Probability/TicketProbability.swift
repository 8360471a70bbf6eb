import Foundation

/// The chance that a randomly pruned network holds a winning ticket, and that training succeeds:
/// P = a [1 - (1 - s^r)^m], after the lottery ticket hypothesis (Frankle & Carbin 2019).
///
/// There are m candidate subnetworks of r weights each, no weight in two of them. Every weight is kept with probability
/// s, independently; a candidate of which all weights are kept is a ticket. If there is one, training succeeds with
/// probability a, and never otherwise. r and m need not be whole, so that they can be fitted.
package struct TicketProbability: Sendable, Equatable {
    /// a: that training succeeds if a ticket was kept.
    package let trainability: Double
    /// s: that a weight is kept.
    package let share: Double
    /// r: the weights of a candidate.
    package let size: Double
    /// m: the candidates.
    package let count: Double

    /// - Throws: ``TicketError/outOfRange(_:value:allowed:)`` unless a and s are in 0...1 and r and m are not negative.
    package init(
        trainability: Double, share: Double, size: Double, count: Double
    ) throws(TicketError) {
        try Self.check(trainability: trainability)
        try Self.check(share: share)
        try Self.check(size: size)
        try Self.check(count: count)
        self.trainability = trainability
        self.share = share
        self.size = size
        self.count = count
    }

    /// a [1 - (1 - s^r)^m]; 0 where it is below the smallest double, and ``logProbability`` still tells it.
    package var probability: Double { trainability * foundProbability }

    /// 1 - (1 - s^r)^m: that at least one candidate is kept whole.
    ///
    /// -expm1(m log1p(-s^r)) keeps all digits where 1 - s^r or its power would round to 1.
    package var foundProbability: Double {
        guard count > 0 else { return 0 }
        let whole = pow(share, size)
        // Where s^r has lost digits or is zero, many candidates may still make something of it.
        guard whole > 1e-290 || share == 0 else { return exp(logFound) }
        let logLost = whole < 0.5 ? log1p(-whole) : LogProbability.complement(logWhole)
        return -expm1(count * logLost)
    }

    /// ln P; minus infinity where P is 0.
    package var logProbability: Double { log(trainability) + logFound }

    /// m s^r: how many candidates are kept whole in the mean.
    package var expectedTickets: Double {
        count == 0 ? 0 : exp(log(count) + logWhole)
    }

    private var logWhole: Double { Self.logWhole(size: size, logShare: log(share)) }

    private var logFound: Double {
        count > 0 ? Self.logFound(logShare: log(share), size: size, logCount: log(count)) : -.infinity
    }

    /// ln s^r, where 0^0 is 1.
    private static func logWhole(size: Double, logShare: Double) -> Double {
        size == 0 ? 0 : size * logShare
    }

    /// ln(-m ln(1 - s^r)): of a rate, since the chance that no candidate is whole is e to minus it.
    static func logRate(logShare: Double, size: Double, logCount: Double) -> Double {
        logCount + LogProbability.complementaryLogLog(logWhole(size: size, logShare: logShare))
    }

    /// ln(1 - (1 - s^r)^m).
    static func logFound(logShare: Double, size: Double, logCount: Double) -> Double {
        LogProbability.inverseComplementaryLogLog(logRate(logShare: logShare, size: size, logCount: logCount))
    }

    // MARK: Checks

    static func check(trainability: Double) throws(TicketError) {
        guard (0...1).contains(trainability) else {
            throw .outOfRange("the trainability a", value: "\(trainability)", allowed: "between 0 and 1")
        }
    }

    static func check(share: Double) throws(TicketError) {
        guard (0...1).contains(share) else {
            throw .outOfRange("the share s", value: "\(share)", allowed: "between 0 and 1")
        }
    }

    static func check(size: Double) throws(TicketError) {
        guard size >= 0, size.isFinite else {
            throw .outOfRange("the size r", value: "\(size)", allowed: "finite and not negative")
        }
    }

    static func check(count: Double) throws(TicketError) {
        guard count >= 0, count.isFinite else {
            throw .outOfRange("the count m", value: "\(count)", allowed: "finite and not negative")
        }
    }
}
