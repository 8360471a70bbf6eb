package import EspalierPruning
import EspalierTensors

/// How much of what is left each round removes, by the kind of a layer: what experiments with lottery tickets state.
///
/// Convolutions have few weights, each used at many positions, and an output layer has few weights in all: Frankle & Carbin
/// (2019) take half as much of them.
package struct PruningRates: Sendable, Hashable {
    /// Of fully connected layers.
    package var dense: Double
    package var convolution: Double
    /// Of layers without another one behind them.
    package var output: Double

    /// - Parameters:
    ///   - dense: between 0 and 1, like the others.
    ///   - convolution: nil for half of `dense`, likewise `output`.
    package init(dense: Double = 0.2, convolution: Double? = nil, output: Double? = nil) {
        self.dense = dense
        self.convolution = convolution ?? dense / 2
        self.output = output ?? dense / 2
    }

    /// The share of a layer that is left after some rounds.
    package func remaining(of layer: WeightedLayer, after rounds: Int) -> Double {
        let isConvolution = layer.shape.rank > 2
        let rate = layer.isLast ? output : isConvolution ? convolution : dense
        return (0..<rounds).reduce(1) { left, _ in left * (1 - rate) }
    }

    /// The shares of all layers that are gone after some rounds; a weight that several layers use is pruned as in the first.
    ///
    /// - Throws: ``PruningError`` if no layer can be pruned, or a rate is not between 0 and 1.
    package func allocation(
        after rounds: Int, of groups: PruningGroups
    ) throws(PruningError) -> LayerAllocation {
        var seen: Set<String> = []
        let layers = groups.layers.filter { $0.refused == nil && seen.insert($0.weightName).inserted }
        return try LayerAllocation(
            layers: layers.map { layer in
                .init(name: layer.weightName, sparsity: 1 - remaining(of: layer, after: rounds))
            }, granularity: .element)
    }
}
