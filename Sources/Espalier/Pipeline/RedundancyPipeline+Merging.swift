package import EspalierGraphs
import EspalierOperators
package import EspalierPruning
import EspalierRedundancy
package import EspalierRuns
import EspalierTraining

extension RedundancyPipeline {
    /// The merged network, and how it compares.
    package struct Merging {
        package let graph: Graph
        package let plan: PrunePlan
        package let receipt: Receipt
        package let record: RunRecord.Merging
        /// The network with the merged units cut out, against that with all their slices zero.
        package let surgery: OutputComparison
    }

    /// Merges, and measures beside it what plain removal at the same counts does.
    ///
    /// - Parameters:
    ///   - sample: for the check of the cut.
    ///   - dense: how the network does as it was.
    ///   - evaluate: the same for others.
    func merged(
        _ merging: UnitMerging, sample: Dataset, dense: LossValue?, evaluate: (Graph) throws -> LossValue?
    ) throws -> Merging {
        let pruner = merging.pruner
        let (cut, masked) = try merging.merged()
        let batches = try VerificationInputs.batches(
            of: masked, dataset: sample, shapes: pruner.resolved.inputShapes, seed: seed)
        let surgery = try OutputComparison(masked, cut, batches: batches)
        guard surgery.relativeDifference <= Self.surgeryTolerance else {
            throw PruningError.surgery(
                "its outputs differ by \(surgery.maxAbsoluteDifference) from the masked model's")
        }
        func variant(
            _ name: RunRecord.MergeVariant.Name, _ graph: Graph, _ value: LossValue?
        ) throws -> RunRecord.MergeVariant {
            .init(
                name: name,
                parameters: ModelSummary(
                    try ResolvedGraph(graph, inputShapes: pruner.resolved.inputShapes)
                ).totals.parameters, accuracy: value?.accuracy, loss: value?.mean)
        }
        let removed = try pruner.cut(dropping: merging.units)
        let smallest = try pruner.cut(dropping: leastByMagnitude(merging))
        let receipt = try pruner.receipt(for: merging.plan, after: cut)
        return Merging(
            graph: cut, plan: merging.plan, receipt: receipt,
            record: .init(
                layers: merging.layers.map(RunRecord.MergedLayer.init),
                variants: [
                    try variant(.dense, pruner.graph, dense), try variant(.merged, cut, try evaluate(cut)),
                    try variant(.removed, removed, try evaluate(removed)),
                    try variant(.magnitude, smallest, try evaluate(smallest)),
                ]),
            surgery: surgery)
    }

    /// As many units of each layer as were merged, those of least magnitude.
    private func leastByMagnitude(
        _ merging: UnitMerging
    ) throws(PruningError) -> [(group: PruningGroup, units: [Int])] {
        let scores = try Scorer(merging.pruner).scores(Magnitude(), granularity: .channel).layers
        let known = Dictionary(uniqueKeysWithValues: scores.map { ($0.name, $0.scores) })
        return merging.units.map { group, units in
            let scores = known[group.id] ?? [Double](repeating: 0, count: group.size)
            let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
            return (group, order.prefix(units.count).sorted())
        }
    }

    /// Relative to the outputs' range: sums in another order.
    private static let surgeryTolerance = 1e-3
}

extension RunRecord.MergedLayer {
    fileprivate init(_ layer: LayerMerge) {
        self.init(
            name: layer.group.id, units: layer.group.size,
            merged: layer.merged.map { merge in
                .init(
                    unit: merge.unit, representative: merge.representative,
                    readers: merge.changes.map { change in
                        .init(
                            reader: change.reader.node.label, slope: change.fit.slope,
                            intercept: change.fit.intercept, determination: change.fit.determination)
                    })
            }, stayed: layer.stayed.map { .init(unit: $0.unit, reason: $0.reason) })
    }
}
