import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierOperators
import EspalierTensors
package import EspalierTraining

/// Bounds of how far changes of samples can bring wrong classes: by intervals alone, or by linear relaxation as well.
///
/// The network may hold convolutions, matrix products, normalisation with stored statistics, ReLU and leaky ReLU, max and average
/// pooling, sums and concatenation, and what moves elements. Bounds hold for the network in real numbers and for its evaluation in
/// float32 by any order of summation; see ``IntervalPass`` and ``BackwardPass``.
package final class RelaxationCertifier: Certifier {
    package enum Method: Sendable, Hashable {
        /// Interval bound propagation (Gowal et al. 2018), the last product taken together with the difference of two outputs.
        case intervals
        /// The tighter of intervals and CROWN (Zhang et al. 2018) at every neuron that could be on either side of its bend, and at the
        /// outputs.
        case crown
        /// The same with slopes of lines searched for each pair of outputs, and for each neuron whose bounds rest on whole values, as
        /// those of fully connected layers do, by so many steps (alpha-CROWN: Xu et al. 2021).
        case optimizedCrown(steps: Int)

        /// As in tables and on the command line.
        package var name: String {
            switch self {
            case .intervals: "intervals"
            case .crown: "crown"
            case .optimizedCrown: "crown-optimized"
            }
        }
    }

    /// What was found on the way.
    package struct Statistics: Sendable, Hashable {
        /// Bounds of neurons and outputs, and how many of them intervals alone have tighter.
        package var bounds = 0
        package var looser = 0

        /// The share of the bounds of which intervals alone are tighter.
        package var looserShare: Double { Double(looser) / Double(max(1, bounds)) }
    }

    package let method: Method
    package let norm: VectorNorm
    package var name: String { method.name }
    package let dataset: Dataset
    package let units: InputUnits
    package let lane: Lane
    package private(set) var statistics = Statistics()
    private let classes: [Int32]
    private let graph: PropagationGraph
    private let runners: [AffineRunner?]
    private let intervals: IntervalPass
    private let passes: [Int: BackwardPass]
    private let searches: [Int: SlopeSearch]
    private let bent: [Int]
    private let centers: AlignedStorage
    private let squares: AlignedStorage
    /// Samples that are taken at a time.
    private let sampleCount: Int

    /// - Parameters:
    ///   - dataset: with classes and one input.
    /// - Throws: ``RobustnessError`` if the network has something that can't be bounded, by name;
    ///   ``TrainingError/mismatch(_:)`` if the data do not fit it, have no classes or several inputs.
    package init(
        _ graph: Graph, dataset: Dataset, units: InputUnits? = nil, norm: VectorNorm, method: Method = .crown,
        lane: Lane
    ) throws {
        guard case .classes(let classes, _) = dataset.labels, dataset.inputs.count == 1 else {
            throw TrainingError.mismatch("a certificate needs samples of one input, with classes")
        }
        let binding = try InputBinding(graph, dataset)
        let output = try graph.lossOutput(for: dataset, batchSize: 1)
        let whole = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 1))
        let resolved = try lane.run { try whole.foldingConstants() }
        let propagated = try PropagationGraph(resolved, output: output)
        let outputs = propagated.values[propagated.output].count
        guard outputs > 1, classes.allSatisfy({ (0..<outputs).contains(Int($0)) }) else {
            throw TrainingError.mismatch("the network's \(outputs) outputs are not one for each class")
        }
        let runners = propagated.steps.enumerated().map { value, step in
            if let step, case .affine(let propagation) = step.rule {
                AffineRunner(step, propagation, of: propagated, output: value)
            } else {
                nil as AffineRunner?
            }
        }
        self.method = method
        self.norm = norm
        self.dataset = dataset
        self.classes = classes
        self.units = units ?? InputUnits(dataset)
        self.lane = lane
        self.graph = propagated
        self.runners = runners
        let samples = Self.samplesAtATime(propagated)
        sampleCount = samples
        let inputCount = propagated.values[0].count
        centers = AlignedStorage(byteCount: 4 * samples * inputCount)
        squares = AlignedStorage(byteCount: 4 * inputCount)
        let weights = squares.base.assumingMemoryBound(to: Float.self)
        for (place, deviation) in self.units.deviations.enumerated() {
            weights[place] = Float(roundingUp: 1 / (Double(deviation) * Double(deviation)))
        }
        let intervals = try lane.run {
            try IntervalPass(propagated, runners: runners, samples: samples, threads: lane.threads)
        }
        self.intervals = intervals
        bent = method == .intervals ? [] : propagated.bent
        var passes: [Int: BackwardPass] = [:]
        for target in Set(bent + [propagated.output]) {
            let plan = BackwardPlan(
                to: target, in: propagated, runners: runners, isWhole: target == propagated.output)
            passes[target] = BackwardPass(
                plan, graph: propagated, runners: runners, tables: intervals.tables,
                rowCount: Self.rowsAtATime(plan, propagated), threads: lane.threads)
        }
        self.passes = passes
        searches = try lane.run {
            guard case .optimizedCrown = method else { return [:] }
            return try passes.filter(\.value.plan.hasWholeFrames).mapValues { pass in
                try SlopeSearch(
                    pass, graph: propagated, runners: runners, tables: intervals.tables, threads: lane.threads
                )
            }
        }
    }

    /// As many as some hundred megabytes hold.
    private static func samplesAtATime(_ graph: PropagationGraph) -> Int {
        let bytes = 40 * graph.values.reduce(0) { $0 + $1.count }
        return min(max((256 << 20) / max(bytes, 1), 1), 64)
    }

    /// As many as caches hold coefficients of, but enough for products to be worth while.
    private static func rowsAtATime(_ plan: BackwardPlan, _ graph: PropagationGraph) -> Int {
        var largest = 1
        for (value, frame) in plan.frames.enumerated() {
            if let frame { largest = max(largest, frame.elementCount(of: graph.values[value])) }
        }
        return min(max((1 << 20) / largest / 16 * 16, 32), 1024)
    }

    // MARK: - Margins

    /// For each sample and class a bound from below of the right class's output minus that class's, within the sample's radius; infinite
    /// for the right class itself.
    ///
    /// - Parameters:
    ///   - samples: positions in the data set.
    ///   - radii: for each, in units of ``InputUnits``.
    package func margins(samples: [Int], radii: [Double]) throws -> [[Double]] {
        try lane.run {
            var margins: [[Double]] = []
            for start in stride(from: 0, to: samples.count, by: sampleCount) {
                let range = start..<min(start + sampleCount, samples.count)
                margins += try chunk(samples: samples[range], radii: radii[range])
            }
            return margins
        }
    }

    package func certifies(samples: [Int], radii: [Double]) throws -> [Bool] {
        try margins(samples: samples, radii: radii).map { margins in margins.allSatisfy { $0 > 0 } }
    }

    /// At most ``sampleCount`` samples.
    private func chunk(samples: ArraySlice<Int>, radii: ArraySlice<Double>) throws -> [[Double]] {
        let region = enter(samples: samples, radii: Array(radii))
        for value in graph.values.indices {
            try intervals.compute(value)
            if bent.contains(value) { try refine(value, count: samples.count, in: region) }
        }
        let outputs = graph.values[graph.output].count
        var rows: [BoundRow] = []
        for (slot, sample) in samples.enumerated() {
            let right = Int(classes[sample])
            for other in 0..<outputs where other != right {
                rows.append(BoundRow(sample: slot, element: right, minus: other))
            }
        }
        var margins = samples.map { _ in [Double](repeating: .infinity, count: outputs) }
        guard let pass = passes[graph.output] else { return margins }
        try forEachPart(of: rows, pass) { part in
            var (linear, early) = try pass.bounds(
                of: part, in: region, intervals: true, only: method == .intervals)
            if let searched = try searchedBounds(of: part, graph.output, in: region) { linear = searched }
            for (index, row) in part.enumerated() {
                // What overflows proves nothing.
                let bounds = [early?[index], linear.isEmpty ? nil : linear[index]].compactMap { $0 }
                let interval = bounds.first ?? -.infinity
                margins[row.sample][row.minus ?? row.element] =
                    bounds.filter { !$0.isNaN }.max() ?? -.infinity
                if !linear.isEmpty {
                    statistics.bounds += 1
                    if linear[index] < interval { statistics.looser += 1 }
                }
            }
        }
        return margins
    }

    /// Writes the boxes of samples to the input's tables.
    private func enter(samples: ArraySlice<Int>, radii: [Double]) -> BackwardPass.Region {
        let size = graph.values[0].count
        let table = intervals.tables.tables[0]
        let center = centers.base.assumingMemoryBound(to: Float.self)
        dataset.x.withUnsafeScalars(of: Float.self) { values in
            for (slot, sample) in samples.enumerated() {
                for position in 0..<size {
                    let value = values[sample * size + position]
                    // More than the roundings of whoever adds a change to the value.
                    let reach =
                        radii[slot] / Double(units.deviations[position]) * (1 + 0x1p-22)
                        + 0x1p-22 * Double(value.magnitude) * (radii[slot] > 0 ? 1 : 0)
                    let place = slot * size + position
                    center[place] = value
                    table.lower[place] = min(
                        value, max(units.lower[position], Float(roundingDown: Double(value) - reach)))
                    table.upper[place] = max(
                        value, min(units.upper[position], Float(roundingUp: Double(value) + reach)))
                }
            }
        }
        return BackwardPass.Region(
            radii: norm == .euclidean ? radii.map { $0 * (1 + 0x1p-20) } : nil, squares: squares,
            centers: center)
    }

    // MARK: - Neurons

    /// Tightens the intervals of those elements of a value that could be on either side of a bend.
    private func refine(_ value: Int, count: Int, in region: BackwardPass.Region) throws {
        guard let pass = passes[value] else { return }
        // Nothing is tighter than the interval of one product of what moves in a box.
        if norm == .maximum, pass.plan.isOneProduct { return }
        let table = intervals.tables.tables[value]
        let size = graph.values[value].count
        let rows = open(value, count: count).flatMap { place in
            let (slot, element) = place.quotientAndRemainder(dividingBy: size)
            return [1, -1].map { BoundRow(sample: slot, element: element, sign: $0) }
        }
        statistics.bounds += rows.count
        try forEachPart(of: rows, pass) { part in
            let bounds =
                try searchedBounds(of: part, value, in: region) ?? pass.bounds(of: part, in: region).linear
            for (row, bound) in zip(part, bounds) where bound.isFinite {
                let place = row.sample * size + row.element
                if row.sign > 0 {
                    if bound < Double(table.lower[place]) { statistics.looser += 1 }
                    table.lower[place] = min(
                        max(table.lower[place], Float(roundingDown: bound)), table.upper[place])
                } else {
                    if -bound > Double(table.upper[place]) { statistics.looser += 1 }
                    table.upper[place] = max(
                        min(table.upper[place], Float(roundingUp: -bound)), table.lower[place])
                }
            }
        }
    }

    /// Bounds with slopes of the rows' own; nil where none are searched.
    private func searchedBounds(
        of rows: ArraySlice<BoundRow>, _ value: Int, in region: BackwardPass.Region
    ) throws -> [Double]? {
        guard case .optimizedCrown(let steps) = method else { return nil }
        return try searches[value]?.bounds(of: rows, in: region, steps: steps)
    }

    /// Places in the tables of elements that something depends on the tightness of whose intervals: those on either side of a bend, and
    /// those of which more than one could be the largest that a window sees.
    private func open(_ value: Int, count: Int) -> [Int] {
        let table = intervals.tables.tables[value]
        var isOpen = [Bool](repeating: false, count: count * graph.values[value].count)
        for reader in graph.readers[value] {
            switch graph.steps[reader]?.rule {
            case .slopes(let below):
                for place in isOpen.indices where table.lower[place] < 0 && table.upper[place] > 0 {
                    isOpen[place] = true
                }
                for next in graph.readers[reader] {
                    guard case .maximum(let windows) = graph.steps[next]?.rule else { continue }
                    addContenders(for: next, windows, among: value, below: below, count: count, to: &isOpen)
                }
            case .maximum(let windows):
                addContenders(for: reader, windows, among: value, below: 1, count: count, to: &isOpen)
            default: break
            }
        }
        return isOpen.indices.filter { isOpen[$0] }
    }

    /// - Parameter below: the slope below zero of what stands between the value and the maximum.
    private func addContenders(
        for maximum: Int, _ windows: Windows, among value: Int, below: Float, count: Int,
        to isOpen: inout [Bool]
    ) {
        let table = intervals.tables.tables[value]
        let (output, input) = (graph.values[maximum], graph.values[value])
        func bent(_ number: Float) -> Float { number < 0 ? below * number : number }
        for plane in 0..<(count * output.channels) {
            for row in 0..<output.height {
                for column in 0..<output.width {
                    let window = windows.window(plane: plane, row: row, column: column, of: input)
                    var least = -Float.infinity
                    window.forEach { _, place in least = max(least, bent(table.lower[place])) }
                    var contenders = 0
                    window.forEach { _, place in if bent(table.upper[place]) > least { contenders += 1 } }
                    guard contenders > 1 else { continue }
                    window.forEach { _, place in
                        if bent(table.upper[place]) > least { isOpen[place] = true }
                    }
                }
            }
        }
    }

    private func forEachPart(
        of rows: [BoundRow], _ pass: BackwardPass, _ body: (ArraySlice<BoundRow>) throws -> Void
    ) rethrows {
        for start in stride(from: 0, to: rows.count, by: pass.rowCount) {
            try body(rows[start..<min(start + pass.rowCount, rows.count)])
        }
    }
}
