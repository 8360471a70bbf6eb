package import EspalierGraphs
import EspalierTensors

extension MaskSet {
    /// What a pruned file tells of its own masks: zeros in tensors with two or more axes, where there are any. A tensor that is
    /// all zero (freshly initialised, say) is not taken for pruned.
    package init(zerosOf graph: Graph) {
        self.init()
        for id in graph.parameters {
            guard let tensor = graph.constants[id], tensor.shape.rank > 1, tensor.dtype == .float32 else {
                continue
            }
            let mask = Mask(nonzeroOf: tensor)
            if mask.keptCount > 0, mask.keptCount < tensor.count { self[id] = mask }
        }
    }
}
