import EspalierLottery
import EspalierTensors
import Foundation
import Testing

/// P = a [1 - (1 - s^r)^m] against sums, limits and what it must be at its ends.
@Suite struct TicketProbabilityTests {
    private static func ticket(
        _ a: Double = 1, s: Double, r: Double, m: Double
    ) throws -> TicketProbability {
        try TicketProbability(trainability: a, share: s, size: r, count: m)
    }

    /// 1 - (1 - p)^m = sum_k p (1 - p)^k, k < m, of which no term cancels.
    @Test(arguments: [
        (0.5, 10.0, 1000), (0.9, 3.0, 5), (0.01, 2.0, 100_000), (0.999, 50.0, 2), (0.3, 40.0, 7),
    ])
    func isTheSumOfFirstTickets(s: Double, r: Double, m: Int) throws {
        let p = pow(s, r)
        let sum = (0..<m).reduce(0) { $0 + p * pow(1 - p, Double($1)) }
        let found = try Self.ticket(s: s, r: r, m: Double(m)).foundProbability
        #expect(abs(found - sum) < 1e-11 * sum)
        #expect(try Self.ticket(0.25, s: s, r: r, m: Double(m)).probability == 0.25 * found)
    }

    /// Where s^r is below 2^-53 a power of 1 - s^r is 1, and where it is below all doubles s^r is 0.
    @Test func smallProbabilitiesKeepTheirDigits() throws {
        #expect(abs(try Self.ticket(s: 0.5, r: 60, m: 8).probability / 0x1p-57 - 1) < 1e-14)
        // m s^r = 1 with s^r = 2^-1020: below which doubles lose digits.
        let rare = try Self.ticket(s: 0.5, r: 1020, m: 0x1p1020)
        #expect(abs(rare.probability - (1 - exp(-1))) < 1e-10)
        let beyond = try Self.ticket(0.5, s: 1e-10, r: 1000, m: 1e20)
        #expect(beyond.probability == 0)
        #expect(abs(beyond.logProbability - (log(0.5) - 9980 * log(10))) < 1e-8)
        #expect(abs(try Self.ticket(s: 1e-10, r: 40, m: 1e300).probability / 1e-100 - 1) < 1e-9)
        // Nearly whole candidates: 1 - s^r = r 1e-15.
        let common = try Self.ticket(s: 1 - 0x1p-50, r: 4, m: 0.5)
        #expect(abs(1 - common.foundProbability - (4 * 0x1p-50).squareRoot()) < 1e-15)
    }

    @Test func ends() throws {
        for m in [0.0, 1, 7.5] {
            #expect(try Self.ticket(0.7, s: 1, r: 3, m: m).probability == (m == 0 ? 0 : 0.7))
            #expect(try Self.ticket(0.7, s: 0, r: 3, m: m).probability == 0)
            #expect(try Self.ticket(0.7, s: 0, r: 0, m: m).probability == (m == 0 ? 0 : 0.7))
            #expect(try Self.ticket(0.7, s: 0.4, r: 0, m: m).probability == (m == 0 ? 0 : 0.7))
            #expect(try Self.ticket(0, s: 0.4, r: 3, m: m).probability == 0)
        }
        #expect(try Self.ticket(s: 0.4, r: 3, m: 1).probability == pow(0.4, 3))
        #expect(try Self.ticket(s: 0, r: 2, m: 5).logProbability == -.infinity)
        #expect(try Self.ticket(s: 0.5, r: 3, m: 16).expectedTickets == 2)
    }

    /// P grows with s and m, falls with r, and depends on s and r only by s^r.
    @Test(arguments: [UInt64(1), 2, 3])
    func invariances(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        for _ in 0..<200 {
            let (s, r, m) = (random.uniform(), 20 * random.uniform(), exp(10 * random.uniform()))
            let p = try Self.ticket(s: s, r: r, m: m).probability
            #expect(try Self.ticket(s: s + 0.5 * (1 - s), r: r, m: m).probability >= p)
            #expect(try Self.ticket(s: s, r: r, m: 1.5 * m).probability >= p)
            #expect(try Self.ticket(s: s, r: 1.5 * r, m: m).probability <= p)
            #expect(abs(try Self.ticket(s: s * s, r: r / 2, m: m).probability - p) <= 1e-12 * p)
        }
    }

    @Test(arguments: [UInt64(4), 5])
    func inversesInvert(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        for _ in 0..<200 {
            let a = 0.1 + 0.9 * random.uniform()
            let (s, r) = (0.05 + 0.9 * random.uniform(), Double(1 + random.index(below: 30)))
            let m = Double(1 + random.index(below: 100_000))
            let ticket = try Self.ticket(a, s: s, r: r, m: m)
            let p = ticket.probability
            // Nearer to a, P no longer tells s, r and m apart.
            guard p < 0.9 * a else { continue }
            #expect(
                abs(
                    try TicketProbability.count(probability: p, trainability: a, share: s, size: r) / m - 1)
                    < 1e-12)
            #expect(
                try TicketProbability.wholeCount(probability: p, trainability: a, share: s, size: r) == m)
            #expect(
                abs(
                    try TicketProbability.share(probability: p, trainability: a, size: r, count: m) / s - 1)
                    < 1e-12)
            #expect(
                abs(
                    try TicketProbability.size(probability: p, trainability: a, share: s, count: m) / r - 1)
                    < 1e-11)
        }
    }

    @Test func inversesAtTheirEnds() throws {
        let share = try TicketProbability.share(probability: 0.5, trainability: 0.5, size: 3, count: 4)
        #expect(share == 1)
        #expect(try TicketProbability.size(probability: 0.5, trainability: 0.5, share: 0.3, count: 4) == 0)
        #expect(try TicketProbability.count(probability: 0, trainability: 0.5, share: 0.3, size: 4) == 0)
        #expect(try TicketProbability.wholeCount(probability: 0.1, trainability: 0.5, share: 1, size: 4) == 1)
        func isUndetermined(_ body: () throws -> Double) -> Bool {
            do {
                _ = try body()
                return false
            } catch TicketError.undetermined {
                return true
            } catch {
                return false
            }
        }
        for p in [0.5, 0.6] {
            #expect(
                isUndetermined {
                    try TicketProbability.count(probability: p, trainability: 0.5, share: 0.3, size: 4)
                })
        }
        #expect(
            isUndetermined {
                try TicketProbability.share(probability: 0.6, trainability: 0.5, size: 4, count: 3)
            })
        #expect(
            isUndetermined {
                try TicketProbability.share(probability: 0.2, trainability: 0.5, size: 0, count: 3)
            })
        #expect(
            isUndetermined {
                try TicketProbability.size(probability: 0, trainability: 0.5, share: 0.5, count: 3)
            })
        #expect(
            isUndetermined {
                try TicketProbability.count(probability: 0.1, trainability: 0.5, share: 0, size: 4)
            })
    }

    @Test(arguments: [
        (1.5, 0.5, 1.0, 1.0), (0.5, -0.1, 1, 1), (0.5, 0.5, -1, 1), (0.5, 0.5, 1, .nan),
        (0.5, 0.5, 1, .infinity),
    ])
    func otherNumbersAreRefused(a: Double, s: Double, r: Double, m: Double) {
        #expect(throws: TicketError.self) {
            try TicketProbability(trainability: a, share: s, size: r, count: m)
        }
    }
}
