import EspalierGraphs
import EspalierTensors

extension Graph {
    /// A number for the network's structure: its nodes, how they are wired, and its constants' names, types
    /// and shapes. Weights do not count, so a plan outlives training.
    package var structuralFingerprint: String {
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ text: String) {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            // A separator that is no UTF-8.
            hash = (hash ^ 0xFF) &* 0x0000_0100_0000_01B3
        }
        for input in inputs { mix(name(of: input)) }
        for node in nodes {
            mix(node.operatorName.description)
            for value in node.inputs + node.outputs { mix(value.map { name(of: $0) } ?? "") }
        }
        for output in outputs { mix(name(of: output)) }
        let described = constants.map { "\(name(of: $0.key)) \($0.value.dtype.rawValue) \($0.value.shape)" }
        for constant in described.sorted() { mix(constant) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
