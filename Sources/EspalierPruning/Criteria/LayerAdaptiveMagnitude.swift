import EspalierTensors

/// A weight's square relative to those of its layer that are at least as large (LAMP): what pruning it would cost of
/// what is left by then. Comparable between layers, with no rates to choose.
package struct LayerAdaptiveMagnitude: Criterion {
    package static let information = CriterionInformation(
        id: "lamp", name: "LAMP",
        measures:
            "w^2 over the sum of squares of the layer's weights at least as large; needs no data, sorts each layer",
        misleads: "as magnitude does within a layer; between layers it keeps small layers nearly whole",
        source: "Lee et al. 2021", unit: "share of the layer's squared norm")

    package init(seed: UInt64 = 0) {}

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let sizes = try magnitudes(of: parameter, criterion: Self.information.id)
        let order = sizes.indices.sorted { sizes[$0] > sizes[$1] }
        var scores = [Float](repeating: 0, count: sizes.count)
        var sum = 0.0
        var start = 0
        while start < order.count {
            let size = sizes[order[start]]
            var end = start
            // Equal weights are each at least as large as the others, and score alike.
            while end < order.count, sizes[order[end]] == size { end += 1 }
            let square = Double(size) * Double(size)
            sum += square * Double(end - start)
            let score = sum > 0 ? Float(square / sum) : 0
            for place in start..<end { scores[order[place]] = score }
            start = end
        }
        return scores
    }
}
