import EspalierExecution
package import EspalierGraphs
import EspalierTensors
package import EspalierTraining

/// Finds a subnetwork of weights that are never trained: of each weight, the elements with the largest scores take part, and
/// training moves the scores (Ramanujan, Wortsman, Kembhavi, Farhadi & Rastegari 2020).
///
/// The gradient passes through the choice as if every element took part: that of a score is the element's, times the element. While
/// a step is under way the run's parameters are the subnetwork's; between steps they are the scores, which the optimiser moves
/// like any weights. What has no scores (biases, norms) stays as it is.
package final class EdgePopup: StepHook {
    /// A weight of which a part is to be found.
    package struct Part: Sendable, Hashable {
        package let weight: ValueID
        /// The number of its elements that take part.
        package let kept: Int
        /// Of one output unit.
        package let fanIn: Int

        package init(weight: ValueID, kept: Int, fanIn: Int) {
            self.weight = weight
            self.kept = kept
            self.fanIn = fanIn
        }
    }

    private let parts: [Part]
    private let seed: UInt64
    /// Of all parameters, while a step is under way.
    private var scores: [Float] = []

    /// - Parameter seed: of the first scores: uniform between plus and minus 1 / sqrt(fan-in).
    package init(_ parts: [Part], seed: UInt64) {
        self.parts = parts
        self.seed = seed
    }

    /// The number of a weight's elements that take part; nil for weights that all do.
    package func kept(of weight: ValueID) -> Int? { parts.first { $0.weight == weight }?.kept }

    package var identity: String {
        "edge-popup with seed \(seed), keeping \(parts.map { "\($0.weight): \($0.kept)" })"
    }

    package func trainingWillBegin(_ run: TrainingRun) {
        let source = RandomSource(seed: seed).split("edge-popup")
        forEachPart(run) { part, entry, _ in
            var random = source.split(entry.name)
            let bound = Float(1 / Double(max(1, part.fanIn)).squareRoot())
            for position in entry.range { run.store.values[position] = random.uniform(in: -bound...bound) }
        }
    }

    package func willCompute(_ run: TrainingRun) {
        let values = run.store.values
        if scores.count != values.count { scores = [Float](repeating: 0, count: values.count) }
        scores.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: values) }
        forEachPart(run) { part, entry, weights in
            let own = UnsafeMutableBufferPointer(rebasing: values[entry.range])
            Self.choose(part.kept, of: weights, by: own)
        }
    }

    package func willUpdate(_ run: TrainingRun) {
        let (values, gradients) = (run.store.values, run.store.gradients)
        // Running statistics have learned in the meantime, and stay.
        _ = values.update(fromContentsOf: scores[..<run.store.trainableExtent])
        let scored = Set(parts.map(\.weight))
        for entry in run.store.trainable where !scored.contains(entry.value) {
            for position in entry.range { gradients[position] = 0 }
        }
        forEachPart(run) { _, entry, weights in
            for (position, weight) in zip(entry.range, weights) {
                // Scores count by their size.
                gradients[position] *= values[position] < 0 ? -weight : weight
            }
        }
    }

    /// Weight decay moves what has no gradient, too.
    package func didUpdate(_ run: TrainingRun) {
        let scored = Set(parts.map(\.weight))
        for entry in run.store.trainable where !scored.contains(entry.value) {
            for position in entry.range { run.store.values[position] = scores[position] }
        }
    }

    package func evaluated(_ graph: Graph, in run: TrainingRun) throws -> Graph {
        var patch = Patch(for: graph)
        for part in parts {
            guard let scores = graph.constants[part.weight], let weight = run.graph.constants[part.weight]
            else { continue }
            var values = scores.scalars(as: Float.self)
            weight.withUnsafeScalars(of: Float.self) { weights in
                values.withUnsafeMutableBufferPointer { Self.choose(part.kept, of: weights, by: $0) }
            }
            patch.append(.setConstant(part.weight, Tensor(shape: weight.shape, scalars: values)))
        }
        return try graph.applying(patch)
    }

    /// Replaces scores by the weights that they choose, and by zero elsewhere.
    private static func choose(
        _ count: Int, of weights: UnsafeBufferPointer<Float>, by scores: UnsafeMutableBufferPointer<Float>
    ) {
        let values = UnsafeBufferPointer(scores)
        LargestElements(values, count: count).forEach(of: values) { position, isAmong in
            scores[position] = isAmong ? weights[position] : 0
        }
    }

    private func forEachPart(
        _ run: TrainingRun,
        _ body: (_ part: Part, _ entry: ParameterStore.Entry, _ weights: UnsafeBufferPointer<Float>) -> Void
    ) {
        for part in parts {
            guard let entry = run.store.trainable.first(where: { $0.value == part.weight }) else { continue }
            run.graph.constants[part.weight]?.withUnsafeScalars(of: Float.self) { body(part, entry, $0) }
        }
    }
}
