import Foundation

/// The binomial likelihood of P = a [1 - (1 - s^r)^m] given observed successes.
///
/// r and m trade off: more of larger candidates are found about as often, and a hill in r and m is a long ridge. It is
/// climbed in coordinates that hardly do: u = ln r, how steeply P rises, and w = ln(-ln h), where h is the s of which half
/// of all networks hold a ticket, so that m = ln 2 / -ln(1 - h^r). a is solved for: the logarithm of the likelihood is
/// concave in it.
struct TicketLikelihood: Sendable {
    struct Parameters: Sendable, Equatable {
        var trainability: Double
        var logSize: Double
        var logCount: Double
    }

    let observations: TicketObservations
    private let logShares: [Double]
    private let tellingLogRates: [Double]

    init(_ observations: TicketObservations) {
        self.observations = observations
        logShares = observations.points.map { log($0.share) }
        let inner = logShares.filter { $0 < 0 }.map { log(-$0) }
        logHalfRange = (inner.min() ?? 0) - 5...(inner.max() ?? 0) + 3
        // From less than one ticket to less than one failure among all networks of a share.
        let logTrials = log(Double(observations.points.map(\.trials).max() ?? 1))
        tellingLogRates = Array(stride(from: -logTrials - 3, through: log(logTrials + 4) + 1, by: 1))
    }

    /// u: r from 0.001 to 1,000.
    static let logSizeRange = log(1e-3)...log(1e3)
    /// w: halves beyond all shares that were observed, and what lies between.
    let logHalfRange: ClosedRange<Double>
    /// ln m.
    static let logCountRange = log(1e-3)...690.0
    /// u where m is given, which may need any.
    private static let wideLogSizeRange = -690.0...log(1e7)

    /// ln m, from u and w.
    static func logCount(logSize: Double, logHalf: Double) -> Double {
        log(log(2)) - LogProbability.complementaryLogLog(-exp(logSize + logHalf))
    }

    /// w, from u and ln m.
    static func logHalf(logSize: Double, logCount: Double) -> Double {
        log(-LogProbability.inverseComplementaryLogLog(log(log(2)) - logCount)) - logSize
    }

    /// Places for w among which none of the likelihood's summits hides: beside evenly spaced ones those where the rate of
    /// some observed s is from hardly ever to nearly always a ticket. Where r is large, all else lies flat; where it is
    /// small, some of them lie far out.
    private func logHalves(logSize: Double) -> [Double] {
        let size = exp(logSize)
        let telling = logShares.filter { $0 < 0 }.flatMap { logShare in
            tellingLogRates.map { logRate in
                Self.logHalf(
                    logSize: logSize,
                    logCount: logRate - LogProbability.complementaryLogLog(size * logShare))
            }
        }
        return (telling.filter(\.isFinite) + Maximization.places(logHalfRange, count: 20)).sorted()
    }

    /// Likewise for u, with ln m given.
    private func logSizes(logCount: Double) -> [Double] {
        let telling = logShares.filter { $0 < 0 }.flatMap { logShare in
            tellingLogRates.map { logRate in
                log(LogProbability.inverseComplementaryLogLog(logRate - logCount) / logShare)
            }
        }
        return
            (telling.filter(Self.wideLogSizeRange.contains)
            + Maximization.places(Self.wideLogSizeRange, count: 20)).sorted()
    }

    /// ln(m (-ln(1 - s^r))) for each s.
    func logRates(logSize: Double, logCount: Double) -> [Double] {
        let size = exp(logSize)
        return logShares.map { TicketProbability.logRate(logShare: $0, size: size, logCount: logCount) }
    }

    /// The logarithm of the likelihood, without the binomial coefficients.
    func value(trainability a: Double, logRates: [Double]) -> Double {
        var sum = 0.0
        for (point, logRate) in zip(observations.points, logRates) {
            if point.successes > 0 {
                sum +=
                    Double(point.successes) * (log(a) + LogProbability.inverseComplementaryLogLog(logRate))
            }
            if point.successes < point.trials {
                sum += Double(point.trials - point.successes) * Self.logFailure(a, logRate: logRate)
            }
        }
        // Where a rate is endless, likelihoods are zero and not undefined.
        return sum.isNaN ? -.infinity : sum
    }

    /// ln(1 - P), where 1 - P = (1 - a) + a e^-rate has no cancellation.
    private static func logFailure(_ a: Double, logRate: Double) -> Double {
        let rate = exp(logRate)
        return a == 1 ? -rate : log((1 - a) + a * exp(-rate))
    }

    /// The a that makes the observations likeliest, by bisection of the derivative, which falls.
    func trainability(logRates: [Double]) -> Double {
        var successes = 0.0
        var failures: [(count: Double, found: Double)] = []
        for (point, logRate) in zip(observations.points, logRates) {
            successes += Double(point.successes)
            if point.successes < point.trials {
                failures.append((Double(point.trials - point.successes), -expm1(-exp(logRate))))
            }
        }
        guard successes > 0 else { return 0 }
        func isBelow(_ a: Double) -> Bool {
            successes / a > failures.reduce(0) { $0 + $1.count * $1.found / (1 - a * $1.found) }
        }
        if isBelow(1) { return 1 }
        var (low, high) = (0.0, 1.0)
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if isBelow(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The best over a, with the other two given.
    func best(logSize: Double, logCount: Double) -> (trainability: Double, value: Double) {
        let rates = logRates(logSize: logSize, logCount: logCount)
        let a = trainability(logRates: rates)
        return (a, value(trainability: a, logRates: rates))
    }

    /// The best over a and w, with r given.
    func best(logSize: Double) -> (logHalf: Double, value: Double) {
        let (logHalf, value) = Maximization.line(logHalves(logSize: logSize)) { logHalf in
            best(logSize: logSize, logCount: Self.logCount(logSize: logSize, logHalf: logHalf)).value
        }
        return (logHalf, value)
    }

    /// The best over a and r, with m given.
    func best(logCount: Double) -> Double {
        Maximization.line(logSizes(logCount: logCount)) { best(logSize: $0, logCount: logCount).value }.value
    }

    /// The best over r and m, with a given.
    ///
    /// - Parameter guess: where it is looked for besides.
    func best(trainability a: Double, guess: Parameters) -> Double {
        func value(_ logSize: Double, _ logHalf: Double) -> Double {
            let logCount = Self.logCount(logSize: logSize, logHalf: logHalf)
            return self.value(trainability: a, logRates: logRates(logSize: logSize, logCount: logCount))
        }
        func summit(_ logSize: Double, _ logHalf: Double) -> Maximization.Summit {
            .init(x: logSize, y: logHalf, value: value(logSize, logHalf))
        }
        let coarse = Maximization.places(Self.logSizeRange, count: 12).map { logSize in
            summit(logSize, Maximization.line(logHalves(logSize: logSize)) { value(logSize, $0) }.x)
        }
        let starts = [
            summit(guess.logSize, Self.logHalf(logSize: guess.logSize, logCount: guess.logCount)),
            coarse.max { $0.value < $1.value },
        ]
        let bounds = (Self.logSizeRange, logHalfRange)
        return starts.compactMap { $0 }.map { Maximization.climb(from: $0, in: bounds, value).value }.max()
            ?? -.infinity
    }

    /// The logarithm of the likelihood of a model that has a probability of its own for each s.
    var saturated: Double {
        observations.points.reduce(0) { sum, point in
            let (x, n) = (Double(point.successes), Double(point.trials))
            return sum + (x > 0 ? x * log(x / n) : 0) + (x < n ? (n - x) * log((n - x) / n) : 0)
        }
    }
}
