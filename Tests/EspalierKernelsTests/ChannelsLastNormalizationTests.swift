import EspalierKernels
import EspalierTensors
import TestSupport
import Testing

/// Rows of channels against the formulas in Double; the loops below are tested in C, on every instruction set.
@Suite struct ChannelsLastNormalizationTests {
    private struct Results: Equatable {
        var result: [Float]
        var mean: [Float]
        var variance: [Float]
        var sourceGradient: [Float]
        var scaleGradient: [Float]
        var shiftGradient: [Float]
    }

    private struct Problem {
        let kernel: ChannelsLastNormalization
        var source, gradient, scale, shift: [Float]
        /// If they are given.
        var statistics: (mean: [Float], variance: [Float])?

        init(rows: Int, channels: Int, seed: UInt64, isGiven: Bool = false) {
            var random = RandomSource(seed: seed)
            kernel = ChannelsLastNormalization(rows: rows, channels: channels, epsilon: 1e-5)
            source = random.floats(rows * channels)
            gradient = random.floats(rows * channels)
            scale = random.floats(channels)
            shift = random.floats(channels)
            if isGiven {
                statistics = (random.floats(channels), random.floats(channels).map { abs($0) + 0.5 })
            }
        }

        func run() -> Results {
            let (rows, channels) = (kernel.rows, kernel.channels)
            let scratch = UnsafeMutableRawPointer.allocate(
                byteCount: kernel.scratchByteCount, alignment: 64)
            defer { scratch.deallocate() }
            var results = Results(
                result: [Float](repeating: .nan, count: rows * channels),
                mean: statistics?.mean ?? [Float](repeating: .nan, count: channels),
                variance: statistics?.variance ?? [Float](repeating: .nan, count: channels),
                sourceGradient: [Float](repeating: .nan, count: rows * channels),
                scaleGradient: [Float](repeating: .nan, count: channels),
                shiftGradient: [Float](repeating: .nan, count: channels))
            kernel.forward(
                source, scale: scale, shift: shift, mean: &results.mean, variance: &results.variance,
                isGiven: statistics != nil, result: &results.result, scratch: scratch)
            kernel.backward(
                source, gradient: gradient, scale: scale, mean: results.mean, variance: results.variance,
                isGiven: statistics != nil, sourceGradient: &results.sourceGradient,
                scaleGradient: &results.scaleGradient, shiftGradient: &results.shiftGradient,
                scratch: scratch)
            return results
        }

        /// In Double, by the formulas; the gradients for the statistics that were found.
        func check(_ found: Results, tolerance: Double = 1e-5) {
            let (rows, channels) = (kernel.rows, kernel.channels)
            for channel in 0..<channels {
                let places = (0..<rows).map { $0 * channels + channel }
                let x = places.map { Double(source[$0]) }
                let g = places.map { Double(gradient[$0]) }
                var mean = x.reduce(0, +) / Double(rows)
                var variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
                if let statistics {
                    (mean, variance) = (
                        Double(statistics.mean[channel]), Double(statistics.variance[channel])
                    )
                }
                #expect(abs(Double(found.mean[channel]) - mean) <= tolerance * max(abs(mean), 1))
                #expect(abs(Double(found.variance[channel]) - variance) <= tolerance * max(variance, 1e-3))
                let inverse = 1 / (variance + Double(kernel.epsilon)).squareRoot()
                let (scale, shift) = (Double(scale[channel]), Double(shift[channel]))
                let unit = x.map { ($0 - mean) * inverse }
                let result = unit.map { $0 * scale + shift }
                #expect(relativeDifference(places.map { found.result[$0] }, result) < 10 * tolerance)
                let shiftGradient = g.reduce(0, +)
                let scaleGradient = zip(g, unit).reduce(0) { $0 + $1.0 * $1.1 }
                let size = g.reduce(0) { $0 + abs($1) }
                #expect(abs(Double(found.shiftGradient[channel]) - shiftGradient) <= tolerance * size)
                #expect(abs(Double(found.scaleGradient[channel]) - scaleGradient) <= 10 * tolerance * size)
                let share = statistics == nil ? 1 / Double(rows) : 0
                let sourceGradient = zip(g, unit).map {
                    scale * inverse * ($0 - share * shiftGradient - share * scaleGradient * $1)
                }
                let largest = abs(scale) * inverse
                #expect(
                    zip(places, sourceGradient).allSatisfy {
                        abs(Double(found.sourceGradient[$0]) - $1) <= 10 * tolerance * largest
                    })
            }
        }
    }

    @Test(arguments: [1, 2, 3, 6, 11, 16, 17, 64, 100, 129, 600], [1, 2, 15, 64, 333, 3000])
    func isThatOfTheFormulas(channels: Int, rows: Int) {
        let problem = Problem(rows: rows, channels: channels, seed: 1)
        problem.check(problem.run())
        let given = Problem(rows: rows, channels: channels, seed: 2, isGiven: true)
        given.check(given.run())
    }

    /// A mean of a thousand deviations, which squares of the numbers themselves would drown.
    @Test func farFromZero() {
        var problem = Problem(rows: 5000, channels: 7, seed: 3)
        for place in problem.source.indices { problem.source[place] += 1000 }
        // The differences from the mean have the numbers' own rounding, and the mean its own: 3e-5 of a deviation of half.
        problem.check(problem.run(), tolerance: 1e-4)
    }

    /// The rows that the sums' origin comes from are all the same, and far from the rest.
    @Test func theFirstRowsAreUnlikeTheOthers() {
        var problem = Problem(rows: 20_000, channels: 5, seed: 4)
        for place in 0..<(64 * 5) { problem.source[place] = 300 }
        problem.check(problem.run())
    }

    @Test func constantsHaveNoVariance() {
        var problem = Problem(rows: 1000, channels: 3, seed: 5)
        for place in problem.source.indices { problem.source[place] = 0.1 }
        let found = problem.run()
        #expect(found.variance.allSatisfy { $0 >= 0 && $0 < 1e-12 })
        #expect(zip(found.result.prefix(3), problem.shift).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// Of enough numbers that threads are called.
    @Test(arguments: [1, 6, 64, 513])
    func threadsChangeNothing(channels: Int) {
        let problem = Problem(rows: channels < 64 ? 70_001 : 4001, channels: channels, seed: 6)
        let alone = ThreadTeam.with(1) { problem.run() }
        for threads in [2, 3, 5] { #expect(ThreadTeam.with(threads) { problem.run() } == alone) }
    }

    @Test func whatIsNotWantedIsNotWritten() {
        let problem = Problem(rows: 50, channels: 4, seed: 7)
        let all = problem.run()
        var scaleGradient = [Float](repeating: .nan, count: 4)
        let scratch = UnsafeMutableRawPointer.allocate(
            byteCount: problem.kernel.scratchByteCount, alignment: 64)
        defer { scratch.deallocate() }
        problem.kernel.backward(
            problem.source, gradient: problem.gradient, scale: problem.scale, mean: all.mean,
            variance: all.variance, isGiven: false, sourceGradient: nil, scaleGradient: &scaleGradient,
            shiftGradient: nil, scratch: scratch)
        #expect(scaleGradient == all.scaleGradient)
    }
}
