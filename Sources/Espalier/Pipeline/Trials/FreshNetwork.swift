package import EspalierGraphs
package import EspalierTraining

extension Dataset {
    /// A network of an architecture for these data, freshly initialised.
    ///
    /// - Throws: ``TrainingError`` if there is no such architecture, or the options do not suit it; ``DataError``.
    package func freshNetwork(
        _ architecture: String, _ options: ArchitectureOptions, seed: UInt64
    ) throws -> Graph {
        guard let architecture = Architectures.named(architecture) else {
            throw TrainingError.mismatch("there is no architecture '\(architecture)'")
        }
        var options = options
        options.seed = seed
        return try architecture.graph(options)
    }
}
