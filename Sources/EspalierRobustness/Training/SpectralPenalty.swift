import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
package import EspalierTraining

/// A penalty on how much layers can stretch what they are given: weight / 2 times the sum over linear layers of their squared
/// operator norms (Yoshida & Miyato 2017).
///
/// The product of the norms bounds the network's Lipschitz constant. The sum of squares rather than of logarithms, since it
/// punishes the largest norm most, has a gradient that ends where there is nothing left to gain, and of all ways to spread a
/// product over layers is least where they share it evenly. See ``FollowedNorms`` for what counts as a layer and how exact it is.
///
/// The reported loss does not include it.
package struct SpectralPenalty: Regularization, Hashable {
    package var weight: Double

    /// - Precondition: it is positive.
    package init(weight: Double) {
        precondition(weight > 0)
        self.weight = weight
    }

    package var identity: String { "spectral penalty \(weight)" }

    package func makeHook() -> any StepHook { SpectralGradients(self) }
}

/// Adds the penalty's gradient in every step.
final class SpectralGradients: StepHook {
    private let settings: SpectralPenalty
    private var followed: FollowedNorms?
    /// Of a checkpoint, until there is something that follows them.
    private var restored: [[Float]]?

    /// Power iterations before the first step: later ones go on from there.
    private static let firstIterations = 30

    init(_ settings: SpectralPenalty) {
        self.settings = settings
    }

    var identity: String { settings.identity }

    func trainingWillBegin(_ run: TrainingRun) throws {
        let norms = try norms(run)
        for _ in 0..<Self.firstIterations { try norms.update(run.store) }
    }

    func willUpdate(_ run: TrainingRun) throws {
        let norms = try norms(run)
        try norms.update(run.store)
        norms.addGradients(times: settings.weight, to: run.store)
    }

    private func norms(_ run: TrainingRun) throws -> FollowedNorms {
        if let followed { return followed }
        let norms = try FollowedNorms(
            run.graph, inputShapes: InputBinding(run.graph, run.training).shapes(batchSize: 2),
            parameters: run.store, threads: run.lane.threads, seed: run.recipe.seed)
        guard !norms.names.isEmpty else {
            throw TrainingError.mismatch(
                "there is no layer to put a spectral penalty on in '\(run.graph.name)'")
        }
        if let restored {
            guard restored.map(\.count) == norms.vectors.map(\.count) else {
                throw TrainingError.checkpoint("its singular vectors are of other layers")
            }
            norms.vectors = restored
        }
        followed = norms
        return norms
    }

    var state: [String: Tensor] {
        let vectors = followed?.vectors ?? restored ?? []
        return Dictionary(
            uniqueKeysWithValues: vectors.enumerated().map { index, vector in
                ("vector/\(index)", Tensor(shape: [vector.count], scalars: vector))
            })
    }

    func restore(_ state: [String: Tensor]) throws {
        let vectors = try (0..<state.count).map { index in
            guard let vector = state["vector/\(index)"], vector.dtype == .float32 else {
                throw TrainingError.checkpoint("it has no singular vectors of the layers")
            }
            return vector.scalars(as: Float.self)
        }
        restored = vectors.isEmpty ? nil : vectors
        followed = nil
    }
}
