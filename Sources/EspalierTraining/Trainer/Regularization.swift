/// Something besides the loss that a network is trained under: a penalty on its weights, or other samples than those given.
///
/// It is a part of a ``TrainingRecipe``: whoever trains by the recipe, from scratch or to repair, trains under it, and what was
/// trained under another is never taken for its result.
package protocol Regularization: Sendable {
    /// Tells it and its settings from others, in checkpoints and run stores.
    var identity: String { get }

    /// A hook for one run.
    func makeHook() -> any StepHook
}
