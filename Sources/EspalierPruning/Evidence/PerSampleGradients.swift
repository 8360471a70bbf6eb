import EspalierExecution
package import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

/// Evidence for which every single sample's gradient must be at hand as a whole: sizes of sums over a unit, products of
/// elements with each other.
///
/// The network runs one sample at a time, so the gradient of the batch is the sample's. That is exact for every network,
/// and slower than a batch's sums. Batch norm is frozen.
package enum PerSampleGradients: EvidencePass {
    package static let kinds: Set<EvidenceKind> = [
        .meanAbsoluteGradients, .meanAbsoluteUnitTerms, .inverseFisherBlocks,
    ]

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence {
        let loss = try context.requiredLoss()
        let batcher = try context.batcher(batchSize: 1)
        let pass = try GradientPass(graph, dataset: context.dataset, threads: context.lane.threads)
        let parameters = pass.parameters
        func pruner() throws -> Pruner {
            try Pruner(
                graph, inputShapes: InputBinding(graph, context.dataset).shapes(batchSize: 1))
        }
        var magnitudes =
            wanted.contains(.meanAbsoluteGradients) ? StreamingSums(count: parameters.trainableExtent) : nil
        var units =
            wanted.contains(.meanAbsoluteUnitTerms) ? UnitTermSums(try pruner(), parameters) : nil
        var fisher = wanted.contains(.inverseFisherBlocks) ? FisherBlocks(parameters) : nil
        for (number, batch) in batcher.batches(epoch: 0).enumerated() {
            try context.willTakeBatch()
            let isForBlocksOnly = magnitudes == nil && units == nil
            if isForBlocksOnly, number >= FisherBlocks.sampleLimit { break }
            _ = try pass.run(batch, of: batcher, loss: loss)
            let gradients = UnsafeBufferPointer(parameters.gradients)
            magnitudes?.addMagnitudes(of: gradients)
            units?.add(gradients, weights: UnsafeBufferPointer(parameters.values))
            if number < FisherBlocks.sampleLimit {
                fisher?.add(gradients, weights: UnsafeBufferPointer(parameters.values))
            }
        }
        let count = context.dataset.sampleCount
        var evidence = Evidence(sampleCount: count)
        if let magnitudes {
            for entry in parameters.trainable {
                evidence[.meanAbsoluteGradients][entry.value] = magnitudes.tensor(
                    entry.range, shape: entry.shape, scale: 1 / Double(count))
            }
        }
        if let units { evidence.units[.meanAbsoluteUnitTerms] = units.means(sampleCount: count) }
        if var fisher { evidence[.inverseFisherBlocks] = try fisher.inverses() }
        return evidence
    }
}

/// Sums over samples of |sum over a unit of g w|, for every unit of every group.
private struct UnitTermSums {
    private struct Group {
        let id: PruningGroup.ID
        let elements: UnitElements
        var sums: [Double]
    }

    private var groups: [Group]
    private let offsets: [ValueID: Int]

    init(_ pruner: Pruner, _ parameters: ParameterStore) {
        let entries = Dictionary(uniqueKeysWithValues: parameters.trainable.map { ($0.value, $0) })
        offsets = entries.mapValues(\.offset)
        groups = pruner.groups.all.map { group in
            Group(
                id: group.id,
                elements: UnitElements(group, roles: AbsoluteTaylor().countedRoles) { entries[$0]?.shape },
                sums: [Double](repeating: 0, count: group.size))
        }
    }

    mutating func add(_ gradients: UnsafeBufferPointer<Float>, weights: UnsafeBufferPointer<Float>) {
        for index in groups.indices {
            let elements = groups[index].elements
            for unit in 0..<elements.size {
                var sum = 0.0
                for part in elements.parts {
                    guard let offset = offsets[part.value] else { continue }
                    for run in part.runs[unit] {
                        for position in (offset + run.lowerBound)..<(offset + run.upperBound) {
                            sum += Double(gradients[position]) * Double(weights[position])
                        }
                    }
                }
                groups[index].sums[unit] += sum.magnitude
            }
        }
    }

    func means(sampleCount: Int) -> [PruningGroup.ID: [Double]] {
        Dictionary(
            uniqueKeysWithValues: groups.map { group in
                (group.id, group.sums.map { $0 / Double(sampleCount) })
            })
    }
}
