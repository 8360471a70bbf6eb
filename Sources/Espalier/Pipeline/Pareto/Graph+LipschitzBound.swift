package import EspalierGraphs
import EspalierOperators
import EspalierRobustness
package import EspalierTraining

extension Graph {
    /// An upper bound of the network's Lipschitz constant in the euclidean norm, per unit of the data before means were subtracted
    /// and deviations divided by: from bounds of the layers' norms that take no iteration, so that many networks can be compared.
    /// Those of convolutions are up to about a tenth above the norms.
    ///
    /// - Throws: ``RobustnessError`` for a network with a node of unknown slope, ``TrainingError`` if the data do not fit it.
    package func lipschitzBound(on dataset: Dataset) throws -> Double {
        let output = try lossOutput(for: dataset, batchSize: 1)
        let resolved = try ResolvedGraph(self, inputShapes: InputBinding(self, dataset).shapes(batchSize: 1))
        let layers = try resolved.linearLayers()
        let norms = try layers.map { layer in try OperatorNorm(layer.map, effort: .cheap) }
        let bound = try LipschitzBound(resolved, layers: layers, norms: norms, norm: .euclidean)
        return (bound.values[output] ?? 0) * InputUnits(dataset).largestStretch
    }
}
