package import EspalierOperators

/// A kind of attack that one can ask for by name.
package struct AttackKind: Sendable {
    /// How hard an attack tries.
    package struct Effort: Sendable, Hashable {
        /// Gradients along one way, and ways from random starts.
        package var steps: Int
        package var restarts: Int

        package init(steps: Int = 20, restarts: Int = 2) {
            self.steps = steps
            self.restarts = restarts
        }
    }

    /// As in tables and on the command line.
    package let name: String
    /// What it does, in a line.
    package let explanation: String
    package let attack: @Sendable (VectorNorm, Effort) -> any Attack

    /// All kinds, the strongest first.
    package static let all = [
        AttackKind(
            name: "pgd",
            explanation:
                "projected gradient descent: --steps towards each of three classes and from --restarts starts",
            attack: { ProjectedGradientDescent(norm: $0, steps: $1.steps, restarts: $1.restarts) }),
        AttackKind(
            name: "fgsm", explanation: "one step along the gradient of the cross-entropy",
            attack: { norm, _ in FastGradient(norm: norm) }),
        AttackKind(
            name: "noise", explanation: "20 changes at random", attack: { norm, _ in RandomNoise(norm: norm) }
        ),
    ]
}
