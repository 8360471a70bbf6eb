import EspalierLottery
import EspalierRedundancy
import EspalierTensors

/// What `theory ticket --json` prints: predictions, and their simulated twins.
struct TicketFigures: Encodable {
    let schemaVersion = 1
    let a: Double
    let s: Double
    let r: Double
    let m: Double
    let weights: Int?
    let trials: Int
    let seed: UInt64
    let confidence = Self.confidence
    /// The mean number of candidates that are kept whole.
    let expectedTickets: Double
    /// What P was to be, and which quantity makes it so.
    let probability: Double?
    let solved: Solution?
    private(set) var figures: [Figure] = []
    /// Why what has no simulated twin has none.
    private(set) var notes: [String] = []

    /// Of the intervals around simulated probabilities.
    static let confidence = 0.99

    struct Solution: Encodable {
        let name: String
        let value: Double
        /// The whole number on the side where P is at least what was wanted.
        var whole: Double?
    }

    struct Figure: Encodable {
        let name: String
        let predicted: Double
        /// ln of the prediction, where that is too small for a number.
        var logarithm: Double?
        var simulated: Double?
        /// The exact binomial interval.
        var lower: Double?
        var upper: Double?
    }

    /// - Throws: `TicketError`, `RedundancyError`.
    init(
        a: Double, s: Double, r: Double, m: Double, weights: Int?, trials: Int, seed: UInt64,
        probability: Double? = nil, solved: Solution? = nil
    ) throws {
        (self.a, self.s, self.r, self.m) = (a, s, r, m)
        (self.weights, self.trials, self.seed) = (weights, trials, seed)
        (self.probability, self.solved) = (probability, solved)
        let ticket = try TicketProbability(trainability: a, share: s, size: r, count: m)
        expectedTickets = ticket.expectedTickets
        var random = RandomSource(seed: seed).split("disjoint candidates")
        try add(
            "", found: ticket.foundProbability, succeeds: ticket.probability,
            logarithm: ticket.probability < .leastNormalMagnitude ? ticket.logProbability : nil
        ) { () throws(TicketError) in
            let (size, count) = try Self.whole(r, m)
            return try TicketSimulation.disjoint(
                trainability: a, share: s, size: size, count: count, trials: trials, random: &random)
        }
        guard let weights else { return }
        let (size, count) = try Self.whole(r, m)
        let tickets = try OverlappingTickets(
            trainability: a, share: s, size: size, count: count, weightCount: weights)
        random = RandomSource(seed: seed).split("overlapping candidates")
        try add(", overlapping", found: tickets.foundProbability, succeeds: tickets.probability) {
            () throws(TicketError) in
            try TicketSimulation.overlapping(tickets, trials: trials, random: &random)
        }
    }

    private mutating func add(
        _ kind: String, found: Double, succeeds: Double, logarithm: Double? = nil,
        simulation: () throws(TicketError) -> TicketSimulation
    ) throws {
        var tally: TicketSimulation?
        do throws(TicketError) {
            tally = try simulation()
        } catch {
            // Without candidates, or too many of them: the prediction stands all the same.
            notes.append("\(error)")
        }
        for (name, predicted, seen) in [
            ("a ticket is kept", found, tally?.found), ("and training succeeds", succeeds, tally?.successes),
        ] {
            var figure = Figure(name: name + kind, predicted: predicted)
            if name != "a ticket is kept" { figure.logarithm = logarithm }
            if let seen {
                let interval = try BinomialInterval(
                    successes: seen, trials: trials, confidence: Self.confidence)
                (figure.simulated, figure.lower, figure.upper) = (
                    interval.estimate, interval.lower, interval.upper
                )
            }
            figures.append(figure)
        }
    }

    private static func whole(_ r: Double, _ m: Double) throws(TicketError) -> (size: Int, count: Int) {
        guard let size = Int(exactly: r), let count = Int(exactly: m) else {
            throw .tooLarge("the candidates", value: "\(m)", limit: "\(TicketSimulation.mostWeights)")
        }
        return (size, count)
    }
}
