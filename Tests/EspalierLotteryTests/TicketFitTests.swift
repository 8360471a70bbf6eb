import EspalierLottery
import EspalierTensors
import Foundation
import Testing

/// The fit against data of known parameters, what changes no fit, and data that tell little.
@Suite struct TicketFitTests {
    struct Model: Sendable {
        let a: Double
        let r: Double
        let m: Double
    }

    private static let shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

    private static func drawn(
        _ model: Model, trials: Int, seed: UInt64, shares: [Double] = shares
    ) throws -> TicketObservations {
        var random = RandomSource(seed: seed)
        return try TicketObservations(
            shares.map { share in
                let p = try TicketProbability(
                    trainability: model.a, share: share, size: model.r, count: model.m
                ).probability
                let successes = (0..<trials).count { _ in random.uniform() < p }
                return .init(share: share, successes: successes, trials: trials)
            })
    }

    /// With confidence 1 - 1e-6 an interval misses the truth once in a million.
    @Test(
        arguments: [Model(a: 0.9, r: 5, m: 30), Model(a: 0.5, r: 2, m: 4), Model(a: 1, r: 12, m: 2000)],
        [UInt64(1), 2])
    func intervalsCoverTheTruth(model: Model, seed: UInt64) throws {
        let observations = try Self.drawn(model, trials: 400, seed: seed)
        let fit = try TicketFit(observations, confidence: 1 - 1e-6)
        #expect(fit.trainability.contains(model.a), "\(fit.trainability)")
        #expect(fit.size.contains(model.r), "\(fit.size)")
        #expect(fit.count.contains(model.m), "\(fit.count)")
        #expect(fit.deviance < 40)
        // Narrower with less confidence, and around the estimate.
        let usual = try TicketFit(observations)
        for (wide, narrow) in [
            (fit.trainability, usual.trainability), (fit.size, usual.size), (fit.count, usual.count),
        ] {
            let value = try #require(narrow.value)
            let (lower, upper) = (try #require(narrow.lower), try #require(narrow.upper))
            #expect(lower <= value && value <= upper)
            #expect(wide.lower ?? -.infinity <= lower && upper <= wide.upper ?? .infinity)
        }
    }

    /// Of intervals at 80 %, about a fifth misses: of 40 between 1 and 17 but for once in thousands of seeds.
    @Test func intervalsMissAsOftenAsTheySay() throws {
        let model = Model(a: 0.8, r: 4, m: 15)
        var misses = [0, 0, 0]
        for seed in 0..<40 {
            let fit = try TicketFit(
                Self.drawn(model, trials: 150, seed: UInt64(1000 + seed)), confidence: 0.8)
            for (index, covers) in [
                fit.trainability.contains(model.a), fit.size.contains(model.r), fit.count.contains(model.m),
            ].enumerated() where !covers {
                misses[index] += 1
            }
        }
        #expect(misses.allSatisfy { (1...17).contains($0) }, "\(misses)")
    }

    /// Of exact frequencies the parameters are found, and no other parameters are likelier than the fitted.
    @Test func exactFrequenciesGiveTheParameters() throws {
        let model = Model(a: 0.8, r: 4, m: 20)
        let trials = 1_000_000
        let points = try Self.shares.map { share in
            let p = try TicketProbability(
                trainability: model.a, share: share, size: model.r, count: model.m
            ).probability
            return TicketObservations.Point(
                share: share, successes: Int((p * Double(trials)).rounded()), trials: trials)
        }
        let fit = try TicketFit(TicketObservations(points))
        #expect(abs(try #require(fit.trainability.value) - 0.8) < 1e-4)
        #expect(abs(try #require(fit.size.value) - 4) < 1e-3)
        #expect(abs(try #require(fit.count.value) - 20) < 2e-2)
        #expect(fit.deviance < 1e-2)
        #expect(fit.points.allSatisfy { abs($0.residual) < 0.05 })
    }

    /// The summit is one: the binomial deviance of parameters nearby, computed here, is larger.
    @Test(arguments: [UInt64(3), 4])
    func nothingNearbyIsLikelier(seed: UInt64) throws {
        let observations = try Self.drawn(Model(a: 0.7, r: 6, m: 50), trials: 200, seed: seed)
        let fit = try TicketFit(observations)
        let (a, r, m) = (
            try #require(fit.trainability.value), try #require(fit.size.value), try #require(fit.count.value)
        )
        func deviance(_ a: Double, _ r: Double, _ m: Double) throws -> Double {
            try observations.points.reduce(0) { sum, point in
                let p = try TicketProbability(
                    trainability: a, share: point.share, size: r, count: m
                ).probability
                let (x, n) = (Double(point.successes), Double(point.trials))
                return sum + 2 * (x > 0 ? x * log(x / n / p) : 0)
                    + 2 * (x < n ? (n - x) * log((n - x) / n / (1 - p)) : 0)
            }
        }
        #expect(abs(try deviance(a, r, m) - fit.deviance) < 1e-6)
        #expect(abs(fit.points.reduce(0) { $0 + $1.residual * $1.residual } - fit.deviance) < 1e-6)
        var random = RandomSource(seed: seed)
        for scale in [0.3, 0.03, 0.003] {
            for _ in 0..<100 {
                let other = try deviance(
                    min(1, a * exp(scale * random.normal())), r * exp(scale * random.normal()),
                    m * exp(scale * random.normal()))
                #expect(other > fit.deviance - 1e-7)
            }
        }
        // At the ends of its interval a parameter, with the others at their best, is 3.84 worse; with the others held, more.
        let ends = try [#require(fit.size.lower), #require(fit.size.upper)]
        for end in ends { #expect(try deviance(a, end, m) > fit.deviance + 3.84) }
    }

    /// Order does nothing, nor does telling a share in two parts; s^2 halves r and leaves a and m.
    @Test func whatChangesNoFit() throws {
        let observations = try Self.drawn(Model(a: 0.9, r: 6, m: 20), trials: 300, seed: 5)
        let fit = try TicketFit(observations)
        let halves = observations.points.reversed().flatMap { point -> [TicketObservations.Point] in
            let part = point.successes / 2
            return [
                .init(share: point.share, successes: part, trials: point.trials / 2),
                .init(
                    share: point.share, successes: point.successes - part,
                    trials: point.trials - point.trials / 2),
            ]
        }
        #expect(try TicketObservations(halves) == observations)
        let squared = try TicketFit(
            TicketObservations(
                observations.points.map {
                    .init(share: $0.share * $0.share, successes: $0.successes, trials: $0.trials)
                }))
        func near(_ one: Double?, _ other: Double?, times factor: Double = 1) throws -> Bool {
            abs(try #require(one) / (factor * (try #require(other))) - 1) < 1e-3
        }
        #expect(try near(squared.trainability.value, fit.trainability.value))
        #expect(try near(squared.trainability.lower, fit.trainability.lower))
        #expect(try near(squared.size.value, fit.size.value, times: 0.5))
        #expect(try near(squared.size.lower, fit.size.lower, times: 0.5))
        #expect(try near(squared.size.upper, fit.size.upper, times: 0.5))
        #expect(try near(squared.count.value, fit.count.value))
        #expect(try near(squared.count.lower, fit.count.lower))
        #expect(try near(squared.count.upper, fit.count.upper))
        #expect(abs(squared.deviance - fit.deviance) < 1e-6)
    }

    private static func isNumeric(_ fit: TicketFit) -> Bool {
        let estimates = [fit.trainability, fit.size, fit.count]
        let numbers =
            estimates.flatMap { [$0.value, $0.lower, $0.upper] }.compactMap { $0 } + [fit.deviance]
            + fit.points.flatMap { [$0.probability, $0.residual] }
        return numbers.allSatisfy(\.isFinite)
    }

    @Test func nothingOrEverythingSucceeds() throws {
        func fit(_ successes: Int, shares: [Double]) throws -> TicketFit {
            try TicketFit(
                TicketObservations(
                    shares.map { .init(share: $0, successes: successes, trials: 50) }))
        }
        // Whether there are no tickets, or they do not train, is not to be told without whole networks.
        let none = try fit(0, shares: Self.shares.dropLast())
        #expect(Self.isNumeric(none) && none.deviance < 1e-9)
        #expect(none.points.allSatisfy { $0.probability < 1e-9 && abs($0.residual) < 1e-4 })
        for estimate in [none.size, none.count] {
            #expect(estimate.value == nil && estimate.lower == nil && estimate.upper == nil)
        }
        #expect(none.trainability.value == nil)
        #expect(none.trainability.lower == 0 && none.trainability.upper == 1)
        // Where all weights are kept, P is a: 50 failures in a row are as likely as exp(-1.92).
        let whole = try fit(0, shares: Self.shares)
        #expect(Self.isNumeric(whole) && whole.trainability.value == 0)
        let most = -expm1(-ChiSquared.quantile(confidence: 0.95) / 100)
        #expect(abs(try #require(whole.trainability.upper) - most) < 1e-5)
        let all = try fit(50, shares: Self.shares)
        #expect(Self.isNumeric(all) && all.deviance < 1e-6)
        #expect(all.trainability.value == 1 && all.trainability.upper == 1)
        #expect(try #require(all.trainability.lower) > 0.99)
        #expect(all.count.upper == nil && all.size.lower == nil)
    }

    @Test func fewSharesAreFittedButDetermineLittle() throws {
        let one = try TicketFit(TicketObservations([.init(share: 0.5, successes: 30, trials: 100)]))
        #expect(Self.isNumeric(one) && one.deviance < 1e-6)
        #expect(abs(one.points[0].probability - 0.3) < 1e-6)
        #expect(one.size.value == nil && one.count.value == nil)
        #expect(try #require(one.trainability.lower) > 0.2 && one.trainability.upper == 1)
        #expect(one.degreesOfFreedom == -2 && one.chiSquaredProbability == nil)
        var random = RandomSource(seed: 1)
        #expect(one.bootstrapProbability(samples: 9, random: &random) == nil)
        let whole = try TicketFit(TicketObservations([.init(share: 1, successes: 30, trials: 100)]))
        #expect(abs(try #require(whole.trainability.value) - 0.3) < 1e-6)
        #expect(whole.size.value == nil && whole.count.value == nil && Self.isNumeric(whole))
    }

    /// A jump from never to always between two shares leaves the steepness without an upper end.
    @Test func jumpsHaveNoLargestSize() throws {
        let fit = try TicketFit(
            TicketObservations(
                Self.shares.map { .init(share: $0, successes: $0 < 0.55 ? 0 : 50, trials: 50) }))
        #expect(Self.isNumeric(fit) && fit.deviance < 0.1)
        #expect(try #require(fit.size.lower) > 5 && fit.size.upper == nil && fit.size.value == nil)
        #expect(fit.count.value == nil)
    }

    /// What is no such model is rejected; what is one is not, at the rate that p-values promise.
    @Test func adequacyIsJudged() throws {
        var random = RandomSource(seed: 1)
        // Success falls again: no a, r and m do that.
        let odd = try TicketFit(
            TicketObservations(
                Self.shares.map { .init(share: $0, successes: $0 < 0.6 ? 40 : 10, trials: 50) }))
        #expect(try #require(odd.chiSquaredProbability) < 1e-6)
        #expect(try #require(odd.bootstrapProbability(samples: 99, random: &random)) == 0.01)
        let rejected = try (0..<20).count { seed in
            let drawn = try Self.drawn(Model(a: 0.9, r: 5, m: 30), trials: 100, seed: UInt64(100 + seed))
            let fit = try TicketFit(drawn)
            return try #require(fit.bootstrapProbability(samples: 99, random: &random)) < 0.05
        }
        // Binomial with 20 trials of 0.05: more than 6 once in 30,000.
        #expect(rejected <= 6)
    }

    @Test func chiSquaredIsThatOfTables() {
        #expect(abs(ChiSquared.quantile(confidence: 0.95) - 3.841458820694124) < 1e-9)
        // With two degrees of freedom exp(-x/2), with four exp(-x/2) (1 + x/2).
        for x in [0.1, 1, 3, 5, 20, 100, 500] {
            #expect(abs(ChiSquared.upperTail(x, degreesOfFreedom: 2) / exp(-x / 2) - 1) < 1e-12)
            #expect(
                abs(ChiSquared.upperTail(x, degreesOfFreedom: 4) / (exp(-x / 2) * (1 + x / 2)) - 1) < 1e-12)
            #expect(
                abs(ChiSquared.upperTail(x, degreesOfFreedom: 1) / erfc((x / 2).squareRoot()) - 1) < 1e-11)
        }
        #expect(ChiSquared.upperTail(0, degreesOfFreedom: 3) == 1)
        #expect(ChiSquared.upperTail(.infinity, degreesOfFreedom: 3) == 0)
    }

    @Test(arguments: [(0.0, 0, 5), (1.5, 0, 5), (.nan, 0, 5), (0.5, 6, 5), (0.5, -1, 5), (0.5, 0, 0)])
    func otherObservationsAreRefused(share: Double, successes: Int, trials: Int) {
        #expect(throws: TicketError.self) {
            try TicketObservations([.init(share: share, successes: successes, trials: trials)])
        }
        #expect(throws: TicketError.self) { try TicketObservations([]) }
    }
}
