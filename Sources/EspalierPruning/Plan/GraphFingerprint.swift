import EspalierGraphs
import EspalierTensors

extension Graph {
    /// A number for the network's structure: its nodes, how they are wired, and its constants' names, types
    /// and shapes. Weights do not count, so a plan outlives training.
    package var structuralFingerprint: String {
        var hash = FNV1a()
        for input in inputs { hash.add(name(of: input)) }
        for node in nodes {
            hash.add(node.operatorName.description)
            for value in node.inputs + node.outputs { hash.add(value.map { name(of: $0) } ?? "") }
        }
        for output in outputs { hash.add(name(of: output)) }
        let described = constants.map { "\(name(of: $0.key)) \($0.value.dtype.rawValue) \($0.value.shape)" }
        for constant in described.sorted() { hash.add(constant) }
        return hash.text
    }
}
