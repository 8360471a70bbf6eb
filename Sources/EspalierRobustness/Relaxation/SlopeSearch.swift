import CSparseKernels
import EspalierExecution
import EspalierKernels
import EspalierOperators
import EspalierTensors

/// Slopes of the lines below bent values, of each row's own, so that its bound becomes as high as it can (Xu et al. 2021).
///
/// Any slopes between both of the bend's give a bound that holds. The gradient by a slope is the coefficient there times the value that
/// the network, bent along the lines instead of by itself, has where the bound is attained. Belongs to the lane that the runners
/// belong to.
final class SlopeSearch {
    /// As auto_LiRPA has them.
    private static let rate = 0.5
    private static let decay = 0.98

    /// Of one bent value, [rows, elements].
    private final class Slopes {
        let count: Int
        let lower: UnsafeMutablePointer<Float>
        /// Coefficients of the value that the pass before arrived with.
        let coefficients: UnsafeMutablePointer<Float>
        let gradients: UnsafeMutablePointer<Float>
        let firstMoments: UnsafeMutablePointer<Float>
        let secondMoments: UnsafeMutablePointer<Float>
        private let storage: AlignedStorage

        init(rows: Int, count: Int) {
            self.count = count
            let size = rows * count
            storage = AlignedStorage(byteCount: 20 * size)
            let base = storage.base.assumingMemoryBound(to: Float.self)
            lower = base
            coefficients = base + size
            gradients = base + 2 * size
            firstMoments = base + 3 * size
            secondMoments = base + 4 * size
        }
    }

    private let graph: PropagationGraph
    private let tables: SampleTables
    private let pass: BackwardPass
    private let values: [Int]
    private var slopes: [Int: Slopes] = [:]
    private var forwards: [Int: ForwardRun] = [:]
    /// What each value is where bounds are attained, [rows, elements]; and for maxima and the input the coefficients.
    private var attained: [Int: AlignedStorage] = [:]
    private var kept: [Int: AlignedStorage] = [:]

    /// - Parameter pass: with whole frames.
    init(
        _ pass: BackwardPass, graph: PropagationGraph, runners: [AffineRunner?], tables: SampleTables,
        threads: Int
    ) throws {
        self.graph = graph
        self.tables = tables
        self.pass = pass
        values = graph.values.indices.filter { pass.plan.frames[$0] != nil }
        for value in values where value != pass.plan.target {
            let count = graph.values[value].count
            attained[value] = AlignedStorage(byteCount: 4 * pass.rowCount * count)
            switch graph.steps[value]?.rule {
            case .affine:
                forwards[value] = try runners[value]?.forward(samples: pass.rowCount, threads: threads, .own)
            case .slopes: slopes[value] = Slopes(rows: pass.rowCount, count: count)
            case .maximum, nil: kept[value] = AlignedStorage(byteCount: 4 * pass.rowCount * count)
            case .sum: break
            }
        }
    }

    /// The highest bounds found, from the slopes that all rows begin with on.
    ///
    /// - Parameter steps: of Adam (Kingma & Ba 2015).
    func bounds(of rows: ArraySlice<BoundRow>, in region: BackwardPass.Region, steps: Int) throws -> [Double]
    {
        let steps = slopes.isEmpty ? 0 : steps
        begin(rows)
        var best = [Double](repeating: -.infinity, count: rows.count)
        for step in 0...steps {
            let bounds = try pass.bounds(of: rows, in: region, slopes: self).linear
            for (index, bound) in bounds.enumerated() where bound > best[index] { best[index] = bound }
            if step == steps { break }
            try evaluate(rows, region)
            climb(rows, step: step)
        }
        return best
    }

    private func begin(_ rows: ArraySlice<BoundRow>) {
        for (value, slopes) in slopes {
            guard let lines = tables.tables[value].lines else { continue }
            for (index, row) in rows.enumerated() {
                (slopes.lower + index * slopes.count).update(
                    from: lines.lowerSlope + row.sample * slopes.count, count: slopes.count)
            }
            let size = rows.count * slopes.count
            slopes.firstMoments.update(repeating: 0, count: size)
            slopes.secondMoments.update(repeating: 0, count: size)
        }
    }

    // MARK: - For the pass

    /// The slopes of a row's own.
    func lowerSlopes(of value: Int, row: Int) -> UnsafePointer<Float>? {
        slopes[value].map { UnsafePointer($0.lower + row * $0.count) }
    }

    /// Keeps the coefficients that the pass arrived with.
    func keep(_ source: UnsafePointer<Float>, of value: Int, row: Int) {
        let count = graph.values[value].count
        let target =
            slopes[value]?.coefficients ?? kept[value]?.base.assumingMemoryBound(to: Float.self)
        (target.map { $0 + row * count })?.update(from: source + row * count, count: count)
    }

    // MARK: - Gradients

    private func memory(_ value: Int) -> UnsafeMutablePointer<Float>? {
        attained[value]?.base.assumingMemoryBound(to: Float.self)
    }

    /// Computes all values where the bounds are attained, bent along the lines.
    private func evaluate(_ rows: ArraySlice<BoundRow>, _ region: BackwardPass.Region) throws {
        for value in values where value != pass.plan.target {
            guard let target = memory(value) else { continue }
            let count = graph.values[value].count
            guard let step = graph.steps[value] else {
                attain(rows, region, target)
                continue
            }
            let sources = step.inputs.compactMap { memory($0.value) }
            switch step.rule {
            case .affine:
                guard let run = forwards[value] else { continue }
                for (source, input) in zip(sources, run.inputs) {
                    guard let memory = run.plan.input(input) else { continue }
                    memory.baseAddress?.update(from: source, count: memory.count)
                }
                try run.plan.run()
                if let output = run.plan.outputScalars(0)?.baseAddress {
                    target.update(from: output, count: pass.rowCount * count)
                }
            case .sum(let signs):
                let offset = tables.offsets[value]?.base.assumingMemoryBound(to: Float.self)
                forEachRow(rows, size: count) { index, _ in
                    for place in 0..<count {
                        var sum = offset?[place] ?? 0
                        for (source, input) in zip(sources, step.inputs) {
                            sum += (signs[input.port] ?? 1) * source[index * count + place]
                        }
                        target[index * count + place] = sum
                    }
                }
            case .slopes: bend(rows, value, sources[0], target)
            case .maximum(let windows): choose(rows, value, step.inputs[0].value, windows, sources[0], target)
            }
        }
    }

    /// The point of the region where each row's bound is attained.
    private func attain(
        _ rows: ArraySlice<BoundRow>, _ region: BackwardPass.Region, _ target: UnsafeMutablePointer<Float>
    ) {
        guard let coefficients = kept[0]?.base.assumingMemoryBound(to: Float.self) else { return }
        let count = graph.values[0].count
        let table = tables.tables[0]
        let weights = region.squares.base.assumingMemoryBound(to: Float.self)
        forEachRow(rows, size: count) { index, row in
            let own = coefficients + index * count
            let first = row.sample * count
            if let radius = region.radii?[row.sample] {
                var square = 0.0
                for place in 0..<count { square += Double(own[place] * own[place] * weights[place]) }
                let share = square > 0 ? Float(radius / square.squareRoot()) : 0
                for place in 0..<count {
                    target[index * count + place] =
                        region.centers[first + place] - share * own[place] * weights[place]
                }
            } else {
                for place in 0..<count {
                    target[index * count + place] =
                        own[place] < 0 ? table.upper[first + place] : table.lower[first + place]
                }
            }
        }
    }

    private func bend(
        _ rows: ArraySlice<BoundRow>, _ value: Int, _ source: UnsafePointer<Float>,
        _ target: UnsafeMutablePointer<Float>
    ) {
        guard let slopes = slopes[value], let lines = tables.tables[value].lines else { return }
        let count = slopes.count
        forEachRow(rows, size: count) { index, row in
            let first = row.sample * count
            for place in 0..<count {
                let here = index * count + place
                let coefficient = slopes.coefficients[here]
                let number = source[here]
                let isBelow = coefficient < 0
                target[here] =
                    isBelow
                    ? lines.upperSlope[first + place] * number + lines.upperOffset[first + place]
                    : slopes.lower[here] * number
                // Adam descends. Where both lines are one, its slope is no choice.
                let isOpen = lines.upperOffset[first + place] > 0
                slopes.gradients[here] = isBelow || !isOpen ? 0 : -coefficient * number
            }
        }
    }

    private func choose(
        _ rows: ArraySlice<BoundRow>, _ value: Int, _ input: Int, _ windows: Windows,
        _ source: UnsafePointer<Float>,
        _ target: UnsafeMutablePointer<Float>
    ) {
        guard let coefficients = kept[value]?.base.assumingMemoryBound(to: Float.self),
            let maxima = tables.tables[value].maxima
        else { return }
        let (output, shape) = (graph.values[value], graph.values[input])
        forEachRow(rows, size: output.count) { index, row in
            for channel in 0..<output.channels {
                for y in 0..<output.height {
                    for x in 0..<output.width {
                        let place = (channel * output.height + y) * output.width + x
                        let here = index * output.count + place
                        let line = row.sample * output.count + place
                        let isBelow = coefficients[here] < 0
                        let tap = Int((isBelow ? maxima.upperTap : maxima.lowerTap)[line])
                        let element = windows.element(tap: tap, plane: channel, row: y, column: x, of: shape)
                        let number = source[index * shape.count + element]
                        target[here] =
                            isBelow ? maxima.upperSlope[line] * number + maxima.upperOffset[line] : number
                    }
                }
            }
        }
    }

    /// - Parameter size: elements that a row has.
    private func forEachRow(
        _ rows: ArraySlice<BoundRow>, size: Int, _ body: (_ index: Int, _ row: BoundRow) -> Void
    ) {
        ThreadTeam.parallel(rows.count, of: .moving(byteCount: 16 * size * rows.count)) { range in
            for index in range { body(index, rows[rows.startIndex + index]) }
        }
    }

    /// One step of Adam, and back to slopes that hold.
    private func climb(_ rows: ArraySlice<BoundRow>, step: Int) {
        var rate = Self.rate
        for _ in 0..<step { rate *= Self.decay }
        var (first, second) = (1.0, 1.0)
        for _ in 0...step { (first, second) = (first * 0.9, second * 0.999) }
        var settings = espalier_adam(
            gradient_scale: 1, corrected_rate: Float(rate / (1 - first)),
            root_correction: Float(1 / (1 - second).squareRoot()), beta1: 0.9, beta2: 0.999,
            beta1_complement: 0.1,
            beta2_complement: 0.001, epsilon: 1e-8, coupled_decay: 0, retention: 1)
        for (value, slopes) in slopes {
            guard case .slopes(let below) = graph.steps[value]?.rule else { continue }
            let size = rows.count * slopes.count
            ThreadTeam.parallel(size, of: .moving(byteCount: 24 * size)) { range in
                espalier_adam_step(
                    espalier_isa_active(), &settings, slopes.lower + range.lowerBound,
                    slopes.gradients + range.lowerBound, slopes.firstMoments + range.lowerBound,
                    slopes.secondMoments + range.lowerBound, nil, range.count)
                for place in range {
                    slopes.lower[place] = min(max(slopes.lower[place], below), 1)
                }
            }
        }
    }
}
