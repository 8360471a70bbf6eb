import CSparseKernels
import EspalierKernels
import EspalierOperators
import EspalierTensors

/// A linear function of a value, of which a bound from below is wanted: an element of it, times 1 or -1, minus another of it or not.
struct BoundRow {
    /// Among those of the tables.
    let sample: Int
    let element: Int
    var minus: Int?
    var sign: Float = 1
}

/// Carries rows of coefficients from one value back to the input: linear bounds of it in terms of the input, below for any change
/// within each sample's box, or ball (CROWN: Zhang et al. 2018).
///
/// Every row is a bound from below; that of an element from above is that of its negative. Coefficients are rounded like any sums of
/// products, by at most gamma(n) times the sum of magnitudes, and so is the network: twice that, times the largest that the value
/// before can be, is taken off each bound. Belongs to the lane that the runners belong to.
final class BackwardPass {
    /// What the samples may move in.
    struct Region {
        /// By sample; nil for boxes alone.
        var radii: [Double]?
        /// By element of the input, the squares of what a radius of 1 is there; for balls.
        var squares: AlignedStorage
        /// The samples themselves, [samples, elements].
        var centers: UnsafeMutablePointer<Float>
    }

    let plan: BackwardPlan
    let rowCount: Int
    private let graph: PropagationGraph
    private let runners: [AffineRunner?]
    private let tables: SampleTables
    private let threads: Int
    /// By value: where coefficients of it are added up, and where those of its inputs are written that no runner makes.
    private var sums: [AlignedStorage?]
    private var results: [AlignedStorage?]
    /// Coefficients of each value in the pass under way.
    private var sources: [UnsafePointer<Float>?] = []
    private var rows: ArraySlice<BoundRow> = []
    private var slopes: SlopeSearch?
    private var constants: [Double]
    private var slacks: [Double]

    /// - Parameter rowCount: taken at a time.
    init(
        _ plan: BackwardPlan, graph: PropagationGraph, runners: [AffineRunner?], tables: SampleTables,
        rowCount: Int, threads: Int
    ) {
        self.plan = plan
        self.graph = graph
        self.runners = runners
        self.tables = tables
        self.rowCount = rowCount
        self.threads = threads
        sums = graph.values.map { _ in nil }
        results = sums
        constants = [Double](repeating: 0, count: rowCount)
        slacks = constants
    }

    /// Bounds from below of at most ``rowCount`` rows.
    ///
    /// - Parameters:
    ///   - intervals: whether to give, second, also what intervals of the first value say that the rows arrive at alone.
    ///   - only: whether to give nothing else.
    ///   - slopes: of lines below, of each row's own.
    func bounds(
        of rows: ArraySlice<BoundRow>, in region: Region, intervals: Bool = false, only: Bool = false,
        slopes: SlopeSearch? = nil
    ) throws -> (linear: [Double], intervals: [Double]?) {
        self.rows = rows
        self.slopes = slopes
        defer { self.slopes = nil }
        sources = graph.values.map { _ in nil }
        for index in constants.indices {
            constants[index] = 0
            slacks[index] = 0
        }
        begin()
        var early: [Double]?
        for value in (0...plan.target).reversed() {
            guard let source = sources[value], let frame = plan.frames[value] else { continue }
            if intervals, early == nil, value != plan.target, sources[..<value].allSatisfy({ $0 == nil }) {
                early = boundsHere(value, source, frame)
                if only { return ([], early) }
            }
            guard let step = graph.steps[value] else {
                return (finish(source, frame, region), early)
            }
            try carry(source, frame, through: step, of: value)
        }
        return (bounds(), early)
    }

    // MARK: - Beginning

    private func begin() {
        let (value, target) = (graph.values[plan.target], plan.target)
        guard let frame = plan.frames[target] else { return }
        let size = frame.elementCount(of: value)
        let coefficients = memory(&sums[target], size)
        coefficients.update(repeating: 0, count: rowCount * size)
        let isWhole = frame == .whole(value)
        let plane = value.height * value.width
        for (index, row) in rows.enumerated() {
            coefficients[index * size + (isWhole ? row.element : row.element / plane)] += row.sign
            if let minus = row.minus {
                coefficients[index * size + (isWhole ? minus : minus / plane)] -= row.sign
            }
        }
        sources[target] = UnsafePointer(coefficients)
    }

    /// Memory for coefficients of all rows, `size` each, made when it is first needed.
    private func memory(_ storage: inout AlignedStorage?, _ size: Int) -> UnsafeMutablePointer<Float> {
        let kept = storage ?? AlignedStorage(byteCount: 4 * rowCount * size)
        storage = kept
        return kept.base.assumingMemoryBound(to: Float.self)
    }

    // MARK: - Steps

    private func carry(
        _ source: UnsafePointer<Float>, _ frame: Frame, through step: PropagationGraph.Step, of value: Int
    ) throws {
        switch step.rule {
        case .affine: try carry(source, frame, bentBy: nil, throughProduct: value)
        case .sum(let signs):
            apply(
                lines(nil, offset: value), of: value, frame, from: source, to: nil,
                roundings: 2 * step.inputs.count + 8)
            for (input, inputFrame) in zip(step.inputs, graph.inputFrames(of: frame, value, runners)) {
                add(source, inputFrame, sign: signs[input.port] ?? 1, to: input.value)
            }
        case .slopes:
            let input = step.inputs[0].value
            if case .affine? = graph.steps[input]?.rule, plan.contributions[input] == 1,
                plan.frames[input] == frame
            {
                return try carry(source, frame, bentBy: value, throughProduct: input)
            }
            let target = memory(&results[value], frame.elementCount(of: graph.values[value]))
            apply(
                lines(value, offset: nil), bentBy: value, of: input, frame, from: source, to: target,
                roundings: 8)
            add(UnsafePointer(target), frame, sign: 1, to: input)
        case .maximum(let windows):
            try carryThroughMaximum(source, frame, windows, value: value, input: step.inputs[0].value)
        }
    }

    /// Through an affine step, and before that through lines around it.
    private func carry(
        _ source: UnsafePointer<Float>, _ frame: Frame, bentBy bent: Int?,
        throughProduct value: Int
    ) throws {
        guard let runner = runners[value] else { return }
        let run = try runner.backward(rows: rowCount, threads: threads, frame: frame)
        // Rows begin with one number or two, of which sums have one product each but where both meet.
        let isFirst = value == plan.target && rows.allSatisfy { $0.minus == nil }
        apply(
            lines(bent, offset: value), bentBy: bent, of: value, frame, from: source, to: run.coefficients,
            roundings: runner.propagation.roundings + (isFirst ? 1 : runner.propagation.gradientRoundings)
                + 16)
        try run.run()
        for (place, input) in runner.step.inputs.enumerated() {
            add(run.inputs[place], run.inputFrames[place], sign: 1, to: input.value)
        }
    }

    private func lines(_ bent: Int?, offset value: Int?) -> espalier_bound_lines {
        var result = espalier_bound_lines()
        if let bent, let lines = tables.tables[bent].lines {
            result.lower_slope = UnsafePointer(lines.lowerSlope)
            result.upper_slope = UnsafePointer(lines.upperSlope)
            result.lower_offset = UnsafePointer(lines.zeros)
            result.upper_offset = UnsafePointer(lines.upperOffset)
        }
        if let value, let offset = tables.offsets[value] {
            result.offset = UnsafePointer(offset.base.assumingMemoryBound(to: Float.self))
        }
        return result
    }

    /// Coefficients of `value`, or those of what is bent, which lines make some of it.
    private func apply(
        _ lines: espalier_bound_lines, bentBy bent: Int? = nil, of value: Int, _ frame: Frame,
        from source: UnsafePointer<Float>,
        to target: UnsafeMutablePointer<Float>?, roundings: Int
    ) {
        let shape = graph.values[value]
        let table = tables.tables[value]
        let size = frame.elementCount(of: shape)
        let relative = SingleRounding.gamma(roundings + Int(ESPALIER_BOUND_TERMS))
        let isa = espalier_isa_active()
        forEachRow(size) { index, row in
            var window = self.window(frame, shape, row)
            var own = lines
            let first = row.sample * shape.count
            if let slope = lines.lower_slope {
                own.lower_slope = slope + first
                if let bent, let slopes = self.slopes {
                    slopes.keep(source, of: bent, row: index)
                    own.lower_slope = slopes.lowerSlopes(of: bent, row: index)
                }
                own.upper_slope = lines.upper_slope.map { $0 + first }
                own.upper_offset = lines.upper_offset.map { $0 + first }
            }
            own.magnitude = UnsafePointer(table.magnitude + first)
            let sums = espalier_bound_row(
                isa, &window, &own, source + index * size, target.map { $0 + index * size })
            return (
                sums.constant,
                relative * sums.magnitude + SingleRounding.underflow * (1 + table.magnitudeSums[row.sample])
            )
        }
    }

    private func carryThroughMaximum(
        _ source: UnsafePointer<Float>, _ frame: Frame, _ windows: Windows, value: Int, input: Int
    ) throws {
        let (shape, inputShape) = (graph.values[value], graph.values[input])
        let largest = tables.tables[input].magnitude
        guard let maxima = tables.tables[value].maxima,
            let inputFrame = graph.inputFrames(of: frame, value, runners).first
        else { return }
        let size = frame.elementCount(of: shape)
        let inputSize = inputFrame.elementCount(of: inputShape)
        let target = memory(&results[value], inputSize)
        let (rowAxis, columnAxis) = (windows.axes[0], windows.axes[1])
        let width = inputFrame.columns.extent
        let tapOffsets = (0..<(rowAxis.kernel * columnAxis.kernel)).map { tap in
            tap / columnAxis.kernel * rowAxis.dilation * width + tap % columnAxis.kernel * columnAxis.dilation
        }
        // A product, and sums of as many as windows see an element.
        let relative = SingleRounding.gamma(rowAxis.kernel * columnAxis.kernel + 8)
        forEachRow(size) { index, row in
            self.slopes?.keep(source, of: value, row: index)
            let coefficients = source + index * size
            let result = target + index * inputSize
            result.update(repeating: 0, count: inputSize)
            let window = self.window(frame, shape, row)
            let inputWindow = self.window(inputFrame, inputShape, row)
            let (lines, columns) = window.inside
            var (constant, magnitude) = (0.0, 0.0)
            for channel in 0..<shape.channels {
                for line in lines {
                    let from = (channel * frame.rows.extent + line) * frame.columns.extent
                    let y = rowAxis.position(output: window.top + line, tap: 0) - inputWindow.top
                    let to = (channel * inputFrame.rows.extent + y) * width - inputWindow.left
                    let plane = (row.sample * shape.channels + channel) * shape.height + window.top + line
                    let places = plane * shape.width + window.left
                    for column in columns {
                        var coefficient = coefficients[from + column]
                        if coefficient == 0 { continue }
                        let place = places + column
                        let tap = Int((coefficient < 0 ? maxima.upperTap : maxima.lowerTap)[place])
                        if coefficient < 0 {
                            let offset = Double(coefficient) * Double(maxima.upperOffset[place])
                            constant += offset
                            magnitude += offset.magnitude
                            coefficient *= maxima.upperSlope[place]
                        }
                        let element = windows.element(
                            tap: tap, plane: row.sample * shape.channels + channel, row: window.top + line,
                            column: window.left + column, of: inputShape)
                        magnitude += Double(coefficient.magnitude * largest[element])
                        let x = columnAxis.position(output: window.left + column, tap: 0)
                        result[to + x + tapOffsets[tap]] += coefficient
                    }
                }
            }
            return (
                constant,
                relative * magnitude + SingleRounding.underflow
                    * (1 + self.tables.tables[input].magnitudeSums[row.sample])
            )
        }
        add(UnsafePointer(target), inputFrame, sign: 1, to: input)
    }

    // MARK: - Sums of coefficients

    private func add(_ source: UnsafePointer<Float>, _ frame: Frame, sign: Float, to value: Int) {
        let shape = graph.values[value]
        guard let held = plan.frames[value] else { return }
        if plan.contributions[value] == 1, frame == held, sign == 1 {
            sources[value] = source
            return
        }
        let (size, sourceSize) = (held.elementCount(of: shape), frame.elementCount(of: shape))
        let target = memory(&sums[value], size)
        let isFirst = sources[value] == nil
        let table = tables.tables[value]
        let relative = SingleRounding.gamma(2)
        let isa = espalier_isa_active()
        /// What rounding sums may have moved the bound by.
        func slack(_ row: BoundRow, _ result: UnsafePointer<Float>) -> Double {
            if isFirst { return 0 }
            var window = self.window(held, shape, row)
            var lines = espalier_bound_lines()
            lines.magnitude = UnsafePointer(table.magnitude + row.sample * shape.count)
            let sums = espalier_bound_row(isa, &window, &lines, result, nil)
            return relative * sums.magnitude
                + SingleRounding.underflow * (1 + table.magnitudeSums[row.sample])
        }
        forEachRow(size) { index, row in
            let result = target + index * size
            let coefficients = source + index * sourceSize
            if isFirst { result.update(repeating: 0, count: size) }
            if frame == held {
                for place in 0..<size { result[place] += sign * coefficients[place] }
                return (0, slack(row, result))
            }
            let (inner, outer) = (self.window(frame, shape, row), self.window(held, shape, row))
            let (lines, columns) = inner.inside
            for channel in 0..<shape.channels {
                for line in lines {
                    let from = (channel * frame.rows.extent + line) * frame.columns.extent
                    let to =
                        (channel * held.rows.extent + line + inner.top - outer.top) * held.columns.extent
                        + inner.left - outer.left
                    for column in columns { result[to + column] += sign * coefficients[from + column] }
                }
            }
            return (0, slack(row, result))
        }
        sources[value] = UnsafePointer(target)
    }

    // MARK: - Ends

    /// What follows from the intervals of a value.
    private func boundsHere(_ value: Int, _ source: UnsafePointer<Float>, _ frame: Frame) -> [Double] {
        let (constants, slacks) = (self.constants, self.slacks)
        defer { (self.constants, self.slacks) = (constants, slacks) }
        let table = tables.tables[value]
        addIntervals(of: value, source, frame, lower: table.lower, upper: table.upper)
        return bounds()
    }

    /// Coefficients of a value that lies between two ends and, where those are one, in balls around it.
    private func addIntervals(
        of value: Int, _ source: UnsafePointer<Float>, _ frame: Frame,
        lower: UnsafeMutablePointer<Float>, upper: UnsafeMutablePointer<Float>, balls: Region? = nil
    ) {
        let (shape, table) = (graph.values[value], tables.tables[value])
        let size = frame.elementCount(of: shape)
        let relative = SingleRounding.gamma(Int(ESPALIER_BOUND_TERMS) + 16)
        let isa = espalier_isa_active()
        forEachRow(size) { index, row in
            var window = self.window(frame, shape, row)
            let first = row.sample * shape.count
            var lines = espalier_bound_lines()
            lines.lower_offset = UnsafePointer(lower + first)
            lines.upper_offset = UnsafePointer(upper + first)
            // Sums of rows before are of numbers as large as the intervals' own ends.
            lines.magnitude = UnsafePointer(table.magnitude + first)
            let sums = espalier_bound_row(isa, &window, &lines, source + index * size, nil)
            var constant = sums.constant
            if let balls, let radius = balls.radii?[row.sample] {
                let weights = balls.squares.base.assumingMemoryBound(to: Float.self)
                let squares = espalier_bound_squares(isa, &window, weights, source + index * size)
                constant -= radius * squares.squareRoot() * (1 + relative)
            }
            return (
                constant,
                relative * sums.magnitude + SingleRounding.underflow * (1 + table.magnitudeSums[row.sample])
            )
        }
    }

    private func finish(_ source: UnsafePointer<Float>, _ frame: Frame, _ region: Region) -> [Double] {
        if let slopes { for index in 0..<rows.count { slopes.keep(source, of: 0, row: index) } }
        let table = tables.tables[0]
        if region.radii == nil {
            addIntervals(of: 0, source, frame, lower: table.lower, upper: table.upper)
        } else {
            addIntervals(of: 0, source, frame, lower: region.centers, upper: region.centers, balls: region)
        }
        return bounds()
    }

    private func bounds() -> [Double] {
        // A millionth of them is far more than the sums in double precision are off.
        (0..<rows.count).map { index in
            constants[index] - slacks[index] * (1 + 1e-6)
        }
    }

    // MARK: - Rows

    private func window(_ frame: Frame, _ shape: PropagatedValue, _ row: BoundRow) -> espalier_bound_window {
        // Only in windows does it matter where the neuron is.
        let target = graph.values[plan.target]
        let position = row.element % (target.height * target.width)
        return espalier_bound_window(
            channels: shape.channels, height: shape.height, width: shape.width,
            window_height: frame.rows.extent, window_width: frame.columns.extent,
            top: frame.rows.start(at: position / target.width),
            left: frame.columns.start(at: position % target.width))
    }

    /// Adds to each row's sums what `body` makes of it.
    private func forEachRow(_ size: Int, _ body: (Int, BoundRow) -> (constant: Double, slack: Double)) {
        rows.withUnsafeBufferPointer { rows in
            constants.withUnsafeMutableBufferPointer { constants in
                slacks.withUnsafeMutableBufferPointer { slacks in
                    ThreadTeam.parallel(rows.count, of: .moving(byteCount: 8 * size * rows.count)) { range in
                        for index in range {
                            let sums = body(index, rows[index])
                            constants[index] += sums.constant
                            slacks[index] += sums.slack
                        }
                    }
                }
            }
        }
    }
}

extension espalier_bound_window {
    /// The lines and columns of the window that stand for elements of the value.
    fileprivate var inside: (lines: Range<Int>, columns: Range<Int>) {
        func range(from start: Int, count: Int, of extent: Int) -> Range<Int> {
            let first = max(0, -start)
            return first..<max(first, min(count, extent - start))
        }
        return (
            range(from: top, count: Int(window_height), of: Int(height)),
            range(from: left, count: Int(window_width), of: Int(width))
        )
    }
}
