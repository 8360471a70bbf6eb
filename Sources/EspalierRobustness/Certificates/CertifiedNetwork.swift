import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierOperators
package import EspalierTraining

/// A network with the samples that something is to be proven of, and what several certificates need of both.
package final class CertifiedNetwork {
    package let graph: Graph
    package let dataset: Dataset
    package let attacked: AttackedNetwork
    /// For one sample.
    package let resolved: ResolvedGraph
    /// The value that holds the outputs before any softmax.
    package let output: ValueID
    /// For all samples.
    package let logits: Logits
    package let layers: [LinearLayer]
    /// Of each layer.
    package let norms: [OperatorNorm]

    /// - Parameter dataset: with classes and one input.
    /// - Throws: as ``AttackedNetwork/init(_:dataset:units:batchSize:lane:)``; ``RobustnessError``.
    package init(
        _ graph: Graph, dataset: Dataset, units: InputUnits? = nil, effort: NormEffort = .tight, lane: Lane
    ) throws {
        self.graph = graph
        self.dataset = dataset
        attacked = try AttackedNetwork(graph, dataset: dataset, units: units, lane: lane)
        resolved = try ResolvedGraph(graph, inputShapes: InputBinding(graph, dataset).shapes(batchSize: 1))
        output = try graph.lossOutput(for: dataset, batchSize: 1)
        logits = try attacked.logits()
        guard logits.columns > 1, logits.columns >= dataset.classCount ?? 0 else {
            throw TrainingError.mismatch(
                "the network has \(logits.columns) outputs for \(dataset.classCount ?? 0) classes")
        }
        layers = try resolved.linearLayers()
        norms = try layers.map { layer throws(RobustnessError) in
            try OperatorNorm(layer.map, effort: effort)
        }
    }

    package var units: InputUnits { attacked.units }

    /// The Lipschitz constants of the network's values, in units of the values that it is given.
    ///
    /// - Throws: ``RobustnessError/unbounded(node:operatorName:reason:)``.
    package func bound(_ norm: VectorNorm) throws(RobustnessError) -> LipschitzBound {
        try LipschitzBound(resolved, layers: layers, norms: norms, norm: norm)
    }
}

extension InputUnits {
    /// By how much a change is larger in the values that the network is given, at most, rounded up: where channels have several
    /// deviations, the least of them counts for all.
    package var largestStretch: Double {
        deviations.reduce(0) { max($0, 1 / Double($1.magnitude)) } * (1 + Rounding.relative(1))
    }
}

extension ResolvedGraph {
    /// About the memory that measuring the norms of the linear layers takes at most, in bytes.
    ///
    /// - Throws: ``RobustnessError/notFinite(node:)``.
    package func normBytes(_ effort: NormEffort) throws(RobustnessError) -> Int {
        let factorised = try linearLayers().compactMap { GramMatrix($0.map) }.filter {
            $0.factorisationWork <= effort.mostWork && $0.byteCount <= effort.mostBytes
        }
        return Int(factorised.map(\.byteCount).max() ?? 0)
    }
}
