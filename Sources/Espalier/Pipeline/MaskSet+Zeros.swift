package import EspalierGraphs
import EspalierTensors

extension MaskSet {
    /// What a pruned file tells of its own masks: zeros in tensors with two or more axes, where there are any.
    package init(zerosOf graph: Graph) {
        self.init()
        for id in graph.parameters {
            guard let tensor = graph.constants[id], tensor.shape.rank > 1, tensor.dtype == .float32 else {
                continue
            }
            let mask = Mask(nonzeroOf: tensor)
            if mask.keptCount < tensor.count { self[id] = mask }
        }
    }
}
