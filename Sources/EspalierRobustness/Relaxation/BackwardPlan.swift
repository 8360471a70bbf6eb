import EspalierOperators

/// The way from one value of a network back to its input: where the coefficients of each value lie.
struct BackwardPlan {
    let target: Int
    /// By value; nil where the target does not depend on it.
    let frames: [Frame?]
    /// How often coefficients of a value are added up.
    let contributions: [Int]
    /// Whether all steps but one between target and input only move, scale or add elements and none is bent: intervals are exact then
    /// where each input has its own.
    let isOneProduct: Bool
    /// Whether each row has coefficients of all of every value on the way.
    let hasWholeFrames: Bool

    /// - Parameter isWhole: whether rows are of more than one neuron.
    init(to target: Int, in graph: PropagationGraph, runners: [AffineRunner?], isWhole: Bool) {
        self.target = target
        var frames: [Frame?] = graph.values.map { _ in nil }
        var contributions = graph.values.map { _ in 0 }
        var products = 0
        var isBent = false
        frames[target] = isWhole ? .whole(graph.values[target]) : .neuron.limited(to: graph.values[target])
        for value in graph.values.indices.prefix(target + 1).reversed() {
            guard var frame = frames[value] else { continue }
            if !graph.takesWindows(value, runners) { frame = .whole(graph.values[value]) }
            frame = frame.limited(to: graph.values[value])
            frames[value] = frame
            guard let step = graph.steps[value] else { continue }
            switch step.rule {
            case .affine(let propagation): if case .position = propagation.reach {} else { products += 1 }
            case .sum(let signs): if signs.count > 1 { products += 1 }
            case .slopes, .maximum: isBent = true
            }
            for (input, source) in zip(step.inputs, graph.inputFrames(of: frame, value, runners)) {
                let held = graph.values[input.value]
                frames[input.value] =
                    frames[input.value].map { $0.union(source, in: held) } ?? source.limited(to: held)
                contributions[input.value] += 1
            }
        }
        self.frames = frames
        self.contributions = contributions
        isOneProduct = !isBent && products <= 1
        hasWholeFrames = zip(frames, graph.values).allSatisfy { $0 == nil || $0 == .whole($1) }
    }
}

extension PropagationGraph {
    /// Whether coefficients of a value may lie in windows where it is made.
    fileprivate func takesWindows(_ value: Int, _ runners: [AffineRunner?]) -> Bool {
        guard let step = steps[value] else { return true }
        switch step.rule {
        case .affine: return runners[value]?.takesWindows ?? false
        case .sum:
            return step.inputs.allSatisfy { input in
                let (one, other) = (values[input.value], values[value])
                return (one.channels, one.height, one.width) == (other.channels, other.height, other.width)
            }
        case .slopes: return true
        case .maximum(let windows): return windows.axes.count == 2
        }
    }

    /// Where the coefficients of a step's inputs come to lie.
    func inputFrames(of frame: Frame, _ value: Int, _ runners: [AffineRunner?]) -> [Frame] {
        guard let step = steps[value] else { return [] }
        let isWhole = frame == .whole(values[value])
        switch step.rule {
        case .affine: return runners[value]?.inputFrames(of: frame) ?? []
        case .sum, .slopes: return step.inputs.map { isWhole ? .whole(values[$0.value]) : frame }
        case .maximum(let windows):
            let input = values[step.inputs[0].value]
            guard !isWhole else { return [.whole(input)] }
            return [
                Frame(
                    rows: windows.axes[0].inputAxis(frame.rows),
                    columns: windows.axes[1].inputAxis(frame.columns))
            ]
        }
    }
}
