import EspalierTensors

extension Graph {
    /// A hash of all parameters with their names, in the names' order: tells networks of other weights apart.
    package var parameterFingerprint: UInt64 {
        var hash = FNV1a()
        for id in parameters.sorted(by: { name(of: $0) < name(of: $1) }) {
            hash.add(name(of: id))
            if let tensor = constants[id] { hash.add(tensor) }
        }
        return hash.value
    }
}
