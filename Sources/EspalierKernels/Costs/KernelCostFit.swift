/// Finds a format's constants from measured times.
package struct KernelCostFit {
    package struct Measurement: Sendable {
        package var work: KernelWork
        package var seconds: Double

        package init(work: KernelWork, seconds: Double) {
            self.work = work
            self.seconds = seconds
        }
    }

    package let ceilings: MachineCeilings
    package let format: KernelFormat

    package init(ceilings: MachineCeilings, format: KernelFormat) {
        self.ceilings = ceilings
        self.format = format
    }

    /// Rates that are tried, up to the ceiling: in steps of 2 %.
    private static let rateStep = 1.02
    private static let rateCount = 120

    /// The constants with the least sum of squared relative errors.
    ///
    /// The rate stands inside of a maximum, so it is searched for; for each rate the others, which must not be negative,
    /// are a linear problem.
    ///
    /// - Precondition: there are measurements, of positive time.
    package func constants(_ measurements: [Measurement]) -> KernelCostModel.Constants {
        var rate = highestRate(measurements)
        var best = (error: Double.infinity, constants: constants(rate))
        for _ in 0..<Self.rateCount {
            let found = fitted(measurements, rate: rate)
            if found.error < best.error { best = found }
            rate /= Self.rateStep
        }
        return best.constants
    }

    /// The ceiling, which is that of `float32`; narrower numbers may be multiplied faster, as the fastest measurement tells.
    private func highestRate(_ measurements: [Measurement]) -> Double {
        let ceiling = ceilings.multiplyAccumulatesPerSecond
        guard format.bytesPerNumber < 4 else { return ceiling }
        let fastest = measurements.map { Double($0.work.multiplyAccumulates(format)) / $0.seconds }.max() ?? 0
        return max(ceiling, fastest * Self.rateStep)
    }

    private func constants(
        _ rate: Double, _ overheads: [Double] = [0, 0, 0, 0, 0]
    ) -> KernelCostModel.Constants {
        .init(
            multiplyAccumulatesPerSecond: rate, secondsPerVisit: overheads[0], secondsPerSum: overheads[1],
            secondsPerCopy: overheads[2], secondsPerShift: overheads[3], fixedSeconds: overheads[4])
    }

    private func fitted(
        _ measurements: [Measurement], rate: Double
    ) -> (error: Double, constants: KernelCostModel.Constants) {
        let model = KernelCostModel(
            ceilings: ceilings, formats: [format: constants(rate)],
            reorders: .init(secondsPerByteToPlain: 0, secondsPerByteToChannelsLast: 0))
        var rows: [[Double]] = []
        var targets: [Double] = []
        for measurement in measurements {
            let (work, seconds) = (measurement.work, measurement.seconds)
            let base = model.prediction(work, format: format)?.seconds ?? 0
            let factors = [
                work.visits(format), work.sums(format), work.copies(format), work.shiftedCopies(format), 1,
            ]
            rows.append(factors.map { $0 / seconds })
            targets.append((seconds - base) / seconds)
        }
        let overheads = Self.nonnegativeLeastSquares(rows, targets)
        let error = zip(rows, targets).reduce(0) { sum, row in
            let residual = zip(row.0, overheads).reduce(row.1) { $0 - $1.0 * $1.1 }
            return sum + residual * residual
        }
        return (error, constants(rate, overheads))
    }

    /// The x >= 0 with the least |A x - b|², one coordinate at a time (Franc, Hlaváč & Navara 2005).
    package static func nonnegativeLeastSquares(_ rows: [[Double]], _ targets: [Double]) -> [Double] {
        let count = rows.first?.count ?? 0
        func product(_ left: Int, _ right: Int) -> Double { rows.reduce(0) { $0 + $1[left] * $1[right] } }
        let squares = (0..<count).map { left in (0..<count).map { product(left, $0) } }
        let projected = (0..<count).map { column in zip(rows, targets).reduce(0) { $0 + $1.0[column] * $1.1 }
        }
        var solution = [Double](repeating: 0, count: count)
        for _ in 0..<2000 {
            for column in 0..<count where squares[column][column] > 0 {
                let slope =
                    zip(squares[column], solution).reduce(0) { $0 + $1.0 * $1.1 } - projected[column]
                solution[column] = max(0, solution[column] - slope / squares[column][column])
            }
        }
        return solution
    }
}
