package import EspalierTensors

/// Simulated networks: masks are drawn weight by weight, candidates are looked for in them, and a coin decides on the
/// training. It shares nothing with ``TicketProbability`` and ``OverlappingTickets`` but the question.
package struct TicketSimulation: Sendable, Equatable {
    package let trials: Int
    /// Trials in which a candidate was kept whole.
    package private(set) var found = 0
    /// Those of them in which training succeeded.
    package private(set) var successes = 0

    /// The most weights of one network, and candidates.
    package static let mostWeights = 1_000_000
    /// The most draws that all trials may take, about; some ten seconds' worth each 10^9.
    package static let mostDraws = 1e10

    /// Draws networks of m disjoint candidates of r weights, `trials` times over.
    ///
    /// - Throws: ``TicketError/tooLarge(_:value:limit:)`` for networks or numbers of trials beyond the limits,
    ///   ``TicketError/outOfRange(_:value:allowed:)`` unless r, m and `trials` are positive and a and s in 0...1.
    package static func disjoint(
        trainability: Double, share: Double, size: Int, count: Int, trials: Int, random: inout RandomSource
    ) throws(TicketError) -> TicketSimulation {
        try check(trainability, share, size: size, count: count, trials: trials)
        let (weights, overflows) = size.multipliedReportingOverflow(by: count)
        guard !overflows, weights <= mostWeights else {
            throw .tooLarge(
                "the weights of all candidates", value: overflows ? "too many" : "\(weights)",
                limit: "\(mostWeights)")
        }
        return TicketSimulation(trials: trials, trainability: trainability, random: &random) { random in
            for _ in 0..<count {
                var left = size
                // Once a weight is gone, the rest of its candidate decide nothing.
                while left > 0, random.uniform() < share { left -= 1 }
                if left == 0 { return true }
            }
            return false
        }
    }

    /// Draws networks of n weights, and in each m candidates of r of them, every choice of r being equally likely,
    /// `trials` times over.
    ///
    /// - Throws: as ``disjoint(trainability:share:size:count:trials:random:)``.
    package static func overlapping(
        _ tickets: OverlappingTickets, trials: Int, random: inout RandomSource
    ) throws(TicketError) -> TicketSimulation {
        let (size, share) = (tickets.size, tickets.share)
        try check(tickets.trainability, share, size: size, count: tickets.count, trials: trials)
        let draws = Double(trials) * Double(tickets.weightCount)
        guard tickets.weightCount <= mostWeights, draws <= mostDraws else {
            throw .tooLarge(
                "the weights of all simulated networks", value: "\(draws)",
                limit: "\(mostWeights) in each and \(mostDraws) in all")
        }
        var isKept = [Bool](repeating: false, count: tickets.weightCount)
        var order = Array(0..<tickets.weightCount)
        return TicketSimulation(trials: trials, trainability: tickets.trainability, random: &random) {
            random in
            for weight in isKept.indices { isKept[weight] = random.uniform() < share }
            for _ in 0..<tickets.count {
                var drawn = 0
                // The first r of a shuffle, which may start from the order that the last one left; the rest of a
                // candidate decide nothing once a weight is gone.
                while drawn < size {
                    order.swapAt(drawn, drawn + random.index(below: order.count - drawn))
                    guard isKept[order[drawn]] else { break }
                    drawn += 1
                }
                if drawn == size { return true }
            }
            return false
        }
    }

    private init(
        trials: Int, trainability: Double, random: inout RandomSource,
        holdsTicket: (inout RandomSource) -> Bool
    ) {
        self.trials = trials
        for _ in 0..<trials where holdsTicket(&random) {
            found += 1
            if random.uniform() < trainability { successes += 1 }
        }
    }

    private static func check(
        _ trainability: Double, _ share: Double, size: Int, count: Int, trials: Int
    ) throws(TicketError) {
        try TicketProbability.check(trainability: trainability)
        try TicketProbability.check(share: share)
        guard size > 0, count > 0, trials > 0 else {
            throw .outOfRange(
                "the size, the count or the trials", value: "\(min(size, count, trials))",
                allowed: "positive")
        }
        // Of a candidate about 1 / (1 - s) weights are drawn before one is gone.
        let draws = Double(trials) * Double(count) * min(Double(size), 1 / max(1 - share, .ulpOfOne))
        guard count <= mostWeights, draws <= mostDraws else {
            throw .tooLarge(
                "the draws of all trials", value: "\(draws)",
                limit: "\(mostDraws), of at most \(mostWeights) candidates,")
        }
    }
}
