package import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension Graph {
    /// The number of samples that all inputs are declared for; nil where they leave it open, or disagree.
    package var declaredBatchSize: Int? {
        let declared = inputs.map { id -> Int? in
            guard case .fixed(let extent)? = values[id]?.type?.dimensions?.first, extent > 0 else {
                return nil
            }
            return extent
        }
        guard let first = declared.first, declared.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    /// The number of samples to run at a time: `wanted`, unless the network is made for a fixed number and its nodes
    /// refuse any other.
    ///
    /// Many exporters write the one sample that they traced with as the batch size, although no node depends on it.
    package func batchSize(wanted: Int) -> Int {
        guard let input = inputs.first, case .fixed(let fixed)? = values[input]?.type?.dimensions?.first,
            fixed > 0, fixed != wanted
        else { return wanted }
        var shapes: [ValueID: Shape] = [:]
        for id in inputs {
            guard let dimensions = values[id]?.type?.dimensions, !dimensions.isEmpty else { return fixed }
            var extents: [Int] = []
            for case .fixed(let extent) in dimensions { extents.append(extent) }
            guard extents.count == dimensions.count else { return fixed }
            extents[0] = wanted
            shapes[id] = Shape(extents)
        }
        guard let resolved = try? ResolvedGraph(self, inputShapes: shapes),
            outputs.allSatisfy({ resolved.facts[$0]?.shape.extents.first == wanted })
        else { return fixed }
        return wanted
    }
}
