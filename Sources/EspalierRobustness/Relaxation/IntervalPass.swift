import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors

/// Carries intervals forward, one value after the other (interval bound propagation: Gowal et al. 2018).
///
/// They hold for real numbers and for any evaluation in float32 that sums products directly, in whatever order: a sum of n products
/// errs by at most gamma(n) times the sum of their magnitudes (Higham 2002, section 3.1), once in the network and once here.
/// Numbers below 2^-126 may be taken for zeros.
struct IntervalPass {
    private let graph: PropagationGraph
    private let runners: [AffineRunner?]
    private let forwards: [[ForwardRun]]
    let tables: SampleTables

    /// Call on the lane that the runners belong to.
    init(_ graph: PropagationGraph, runners: [AffineRunner?], samples: Int, threads: Int) throws {
        self.graph = graph
        self.runners = runners
        tables = SampleTables(graph, samples: samples)
        forwards = try runners.map { runner in
            guard let runner else { return [] }
            return try [.own, .magnitudes, .allMagnitudes].map {
                try runner.forward(samples: samples, threads: threads, $0)
            }
        }
        for value in graph.values.indices { tables.offsets[value] = try offset(of: value) }
    }

    /// What an affine value is where its inputs are zero.
    private func offset(of value: Int) throws -> AlignedStorage? {
        guard let step = graph.steps[value] else { return nil }
        let count = graph.values[value].count
        let storage = AlignedStorage(byteCount: 4 * count)
        let target = storage.base.assumingMemoryBound(to: Float.self)
        switch step.rule {
        case .affine:
            let forward = forwards[value][0]
            for input in forward.inputs { forward.plan.input(input)?.update(repeating: 0) }
            try forward.plan.run()
            guard let output = forward.plan.outputScalars(0), output.count >= count else { return nil }
            for place in 0..<count { target[place] = output[place] }
        case .sum:
            let signature = graph.resolved.signatures[step.node.id]
            let varying = Set(step.inputs.map(\.port))
            guard let operation = graph.resolved.operators[step.node.id], let signature,
                signature.inputs.indices.contains(where: {
                    !varying.contains($0) && signature.inputs[$0] != nil
                })
            else { return nil }
            let zeros = signature.inputs.enumerated().map { port, facts in
                varying.contains(port) ? facts.map { Tensor(zeros: $0.shape) } : facts?.constant
            }
            let outputs = try operation.evaluate(zeros, outputs: signature.outputs).get()
            for (place, scalar) in (outputs.first?.scalars(as: Float.self) ?? []).prefix(count).enumerated() {
                target[place] = scalar
            }
        case .slopes, .maximum: return nil
        }
        return (0..<count).contains { target[$0] != 0 } ? storage : nil
    }

    /// Fills the tables of a value from those before it.
    func compute(_ value: Int) throws {
        guard let step = graph.steps[value] else { return keepMagnitudes(of: value) }
        switch step.rule {
        case .affine(let propagation): try computeAffine(value, step, propagation)
        case .sum(let signs): computeSum(value, step, signs)
        case .slopes(let below): computeSlopes(value, step, below: below)
        case .maximum(let windows): computeMaximum(value, step, windows)
        }
    }

    // MARK: - Affine

    private func computeAffine(
        _ value: Int, _ step: PropagationGraph.Step, _ propagation: AffinePropagation
    ) throws {
        let runs = forwards[value]
        for (port, input) in step.inputs.enumerated() {
            let source = tables.tables[input.value]
            guard let centers = runs[0].plan.input(runs[0].inputs[port]),
                let radii = runs[1].plan.input(runs[1].inputs[port]),
                let magnitudes = runs[2].plan.input(runs[2].inputs[port])
            else {
                throw RobustnessError.unsupportedNetwork("'\(step.node.label)' is not of float32 numbers")
            }
            for place in centers.indices {
                let (lower, upper) = (source.lower[place], source.upper[place])
                let center = lower + (upper - lower) / 2
                centers[place] = center
                radii[place] = max(upper - center, center - lower).nextUp
                magnitudes[place] = max(lower.magnitude, upper.magnitude)
            }
        }
        for run in runs { try run.plan.run() }
        guard let centers = runs[0].plan.outputScalars(0), let radii = runs[1].plan.outputScalars(0),
            let magnitudes = runs[2].plan.outputScalars(0)
        else { throw RobustnessError.unsupportedNetwork("'\(step.node.label)' is not of float32 numbers") }
        let table = tables.tables[value]
        let relative = SingleRounding.gamma(2 * propagation.roundings + 8)
        for place in centers.indices {
            let magnitude = Double(magnitudes[place]) * (1 + relative)
            let radius =
                Double(radii[place]) * (1 + relative) + relative * magnitude + SingleRounding.underflow
            table.lower[place] = Float(roundingDown: Double(centers[place]) - radius)
            table.upper[place] = Float(roundingUp: Double(centers[place]) + radius)
            table.magnitude[place] = Float(roundingUp: magnitude)
        }
        sumMagnitudes(of: value)
    }

    private func computeSum(_ value: Int, _ step: PropagationGraph.Step, _ signs: [Int: Float]) {
        let table = tables.tables[value]
        let count = graph.values[value].count
        let offset = tables.offsets[value]?.base.assumingMemoryBound(to: Float.self)
        let inputs = step.inputs.map { (table: tables.tables[$0.value], sign: signs[$0.port] ?? 1) }
        let relative = SingleRounding.gamma(2 * inputs.count + 8)
        for place in 0..<(tables.samples * count) {
            let addend = Double(offset?[place % count] ?? 0)
            var (lower, upper, magnitude) = (addend, addend, addend.magnitude)
            for (source, sign) in inputs {
                let (low, high) = (Double(source.lower[place]), Double(source.upper[place]))
                lower += sign < 0 ? -high : low
                upper += sign < 0 ? -low : high
                magnitude += max(low.magnitude, high.magnitude)
            }
            let slack = inputs.count == 1 && offset == nil ? 0 : relative * magnitude
            table.lower[place] = Float(roundingDown: lower - slack)
            table.upper[place] = Float(roundingUp: upper + slack)
            table.magnitude[place] = Float(roundingUp: magnitude)
        }
        sumMagnitudes(of: value)
    }

    // MARK: - Bent

    private func computeSlopes(_ value: Int, _ step: PropagationGraph.Step, below: Float) {
        let (table, source) = (tables.tables[value], tables.tables[step.inputs[0].value])
        guard let lines = table.lines else { return }
        let slope = Double(below)
        for place in 0..<(tables.samples * graph.values[value].count) {
            let (lower, upper) = (source.lower[place], source.upper[place])
            func bent(_ number: Float) -> Float { number < 0 ? below * number : number }
            table.lower[place] = below == 0 || lower >= 0 ? bent(lower) : bent(lower).nextDown
            table.upper[place] = below == 0 || upper >= 0 ? bent(upper) : bent(upper).nextUp
            if lower >= 0 || upper <= 0 {
                let only = lower >= 0 ? 1 : below
                lines.lowerSlope[place] = only
                lines.upperSlope[place] = only
                lines.upperOffset[place] = 0
            } else {
                let (low, high) = (Double(lower), Double(upper))
                // Any line through zero between both slopes is below. The one that encloses less stands first.
                lines.lowerSlope[place] = upper > -lower ? 1 : below
                let chord = Float((high - slope * low) / (high - low))
                lines.upperSlope[place] = chord
                // However the slope was rounded, the line is above at both ends.
                let offset = max(slope * low - Double(chord) * low, high - Double(chord) * high, 0)
                lines.upperOffset[place] = Float(roundingUp: offset * (1 + 1e-12))
            }
        }
        keepMagnitudes(of: value)
    }

    private func computeMaximum(_ value: Int, _ step: PropagationGraph.Step, _ windows: Windows) {
        let place = step.inputs[0].value
        let (table, source) = (tables.tables[value], tables.tables[place])
        let (output, input) = (graph.values[value], graph.values[place])
        guard let maxima = table.maxima else { return }
        for plane in 0..<(tables.samples * output.channels) {
            for row in 0..<output.height {
                for column in 0..<output.width {
                    let place = (plane * output.height + row) * output.width + column
                    let window = windows.window(plane: plane, row: row, column: column, of: input)
                    // Below is the element whose interval lies highest. Above is, by convexity, the chord of the larger of the element
                    // that can be the largest and of what all others stay below.
                    var (lowerTap, middle) = (-1, -Float.infinity)
                    var (upperTap, low) = (-1, -Float.infinity)
                    var (lower, upper, others) = (low, low, low)
                    window.forEach { tap, place in
                        var (least, most) = (source.lower[place], source.upper[place])
                        // What has overflowed is no number, which a maximum would pass over.
                        if !(least <= most) { (least, most) = (-.infinity, .infinity) }
                        if lowerTap < 0 || least + most > middle { (lowerTap, middle) = (tap, least + most) }
                        lower = max(lower, least)
                        if upperTap < 0 || most > upper {
                            (upperTap, low, others, upper) = (tap, least, upper, most)
                        } else {
                            others = max(others, most)
                        }
                    }
                    table.lower[place] = lower
                    table.upper[place] = upper
                    let isDecided = others <= low
                    let line: (slope: Float, offset: Float) =
                        isDecided ? (1, 0) : chord(from: low, to: upper, above: others)
                    maxima.lowerTap[place] = Int32(isDecided ? upperTap : lowerTap)
                    maxima.upperTap[place] = Int32(upperTap)
                    (maxima.upperSlope[place], maxima.upperOffset[place]) = line
                }
            }
        }
        keepMagnitudes(of: value)
    }

    /// A line that is not below x or `floor` for any x between both ends.
    private func chord(
        from low: Float, to high: Float, above floor: Float
    ) -> (slope: Float, offset: Float) {
        let (start, end, floor) = (Double(low), Double(high), Double(floor))
        let slope = Float((end - floor) / (end - start))
        // However the slope was rounded: both ends decide.
        let offset = max(floor - Double(slope) * start, end - Double(slope) * end)
        let slack = 1e-12 * (start.magnitude + end.magnitude)
        guard (offset + slack).isFinite else { return (0, high) }
        return (slope, Float(roundingUp: offset + slack))
    }

    /// Of a value that is not computed of sums.
    private func keepMagnitudes(of value: Int) {
        let table = tables.tables[value]
        for place in 0..<(tables.samples * graph.values[value].count) {
            table.magnitude[place] = max(table.lower[place].magnitude, table.upper[place].magnitude)
        }
        sumMagnitudes(of: value)
    }

    private func sumMagnitudes(of value: Int) {
        let table = tables.tables[value]
        let count = graph.values[value].count
        for sample in 0..<tables.samples {
            var sum = 0.0
            for place in (sample * count)..<((sample + 1) * count) { sum += Double(table.magnitude[place]) }
            table.magnitudeSums[sample] = sum
        }
    }
}

/// The elements that one window sees.
struct WindowElements {
    let rowTaps: Range<Int>
    let columnTaps: Range<Int>
    let first: Int
    let rowStep: Int
    let columnStep: Int
    let kernelWidth: Int

    @inline(__always)
    func forEach(_ body: (_ tap: Int, _ place: Int) -> Void) {
        for row in rowTaps {
            for column in columnTaps {
                body(row * kernelWidth + column, first + row * rowStep + column * columnStep)
            }
        }
    }
}

extension Windows {
    /// - Precondition: there are two axes.
    @inline(__always)
    func window(plane: Int, row: Int, column: Int, of input: PropagatedValue) -> WindowElements {
        let (rows, columns) = (axes[0], axes[1])
        return WindowElements(
            rowTaps: rows.taps(at: row), columnTaps: columns.taps(at: column),
            first: (plane * input.height + rows.position(output: row, tap: 0)) * input.width
                + columns.position(output: column, tap: 0),
            rowStep: rows.dilation * input.width, columnStep: columns.dilation, kernelWidth: columns.kernel)
    }

    /// The element that a tap of a window sees.
    func element(tap: Int, plane: Int, row: Int, column: Int, of input: PropagatedValue) -> Int {
        let (tapRow, tapColumn) = tap.quotientAndRemainder(dividingBy: axes[1].kernel)
        return (plane * input.height + axes[0].position(output: row, tap: tapRow)) * input.width
            + axes[1].position(output: column, tap: tapColumn)
    }
}

/// Bounds of what rounding to single precision does.
enum SingleRounding {
    /// More than gamma(k) = k u / (1 - k u) with u = 2^-24, the relative error of k roundings in a row (Higham 2002, section 3.1).
    static func gamma(_ count: Int) -> Double {
        let error = Double(count) * 0x1p-24
        return error < 0.5 ? error / (1 - error) * (1 + 1e-12) : .infinity
    }

    /// More than what taking numbers below 2^-126 for zeros adds up to in any sum of less than 2^26 terms.
    static let underflow = 0x1p-100
}
