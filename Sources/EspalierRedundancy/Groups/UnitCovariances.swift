import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierPruning
import EspalierTensors
package import EspalierTraining

/// How the units of watched layers vary together over data.
package enum UnitCovariances {
    /// Bytes of what a batch is taken apart to, at most.
    private static let memoryLimit = 256 << 20

    /// The samples of a batch that fit the memory: all layers' values, and of one layer at a time the observations.
    package static func mostSamples(_ layers: [WatchedUnits.Layer]) -> Int {
        let values = layers.map(\.sampleShape.count)
        let bytes =
            values.reduce(0, +) * MemoryLayout<Float>.stride + (values.max() ?? 0)
            * MemoryLayout<Double>.stride
        return max(1, memoryLimit / max(1, bytes))
    }

    /// One for each layer, in one pass; its variables are the layer's units. Positions of a map are observations of their
    /// own, also where the map was flattened before.
    ///
    /// - Throws: ``TrainingError``, ``ExecutionError``, ``DataError``.
    package static func measure(
        _ layers: [WatchedUnits.Layer], of graph: Graph, on dataset: Dataset, batchSize: Int, lane: Lane
    ) throws -> [StreamingCovariance] {
        guard !layers.isEmpty else { return [] }
        var places: [ValueID: Int] = [:]
        for layer in layers where places[layer.value] == nil { places[layer.value] = places.count }
        let values = places.sorted { $0.value < $1.value }.map(\.key)
        return try lane.run {
            let pass = try ActivationPass(graph, dataset: dataset, values: values, threads: lane.threads)
            let batcher = try Batcher(dataset, batchSize: batchSize, seed: 0, shuffles: false)
            var covariances = layers.map { StreamingCovariance(variableCount: $0.group.size) }
            for batch in batcher.batches(epoch: 0) {
                let plan = try pass.run(batch, of: batcher)
                for (index, layer) in layers.enumerated() {
                    guard let place = places[layer.value], let scalars = plan.outputScalars(place),
                        var rows = observations(of: layer, scalars, samples: batch.count)
                    else {
                        throw RedundancyError.unsuitable(
                            "the channels of '\(layer.group.id)' do not lie as their shape says")
                    }
                    covariances[index].add(&rows)
                }
            }
            return covariances
        }
    }

    /// For each sample and position the units' values; nil if the elements are of another number.
    private static func observations(
        of layer: WatchedUnits.Layer, _ scalars: UnsafeBufferPointer<Float>, samples: Int
    ) -> [Double]? {
        let (shape, axis) = (layer.sampleShape, layer.member.axis.axis)
        let (blocks, channels) = (shape.count(0..<axis), shape[axis])
        let positions = shape.count((axis + 1)..<shape.rank)
        guard scalars.count == samples * blocks * channels * positions else { return nil }
        let units = layer.group.size
        let repeats = layer.member.indexCount(ofUnit: 0)
        var rows = [Double](repeating: 0, count: samples * blocks * repeats * positions * units)
        for unit in 0..<units {
            for (turn, channel) in layer.member.indices(ofUnit: unit).enumerated() {
                for block in 0..<(samples * blocks) {
                    let source = (block * channels + channel) * positions
                    let target = (block * repeats + turn) * positions
                    for position in 0..<positions {
                        rows[(target + position) * units + unit] = Double(scalars[source + position])
                    }
                }
            }
        }
        return rows
    }
}
