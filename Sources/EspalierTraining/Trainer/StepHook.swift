package import EspalierGraphs
package import EspalierTensors

/// Something that takes part in training: pruning while fine-tuning, statistics over the journey, regularisation.
///
/// Hooks are called in the order in which they were given, on the lane that trains. Those of the recipe's regularizations stand
/// between the others and a step's passes: they are the last before and the first after, so that what another hook puts in place of the
/// parameters for a step holds for them, and their gradients by it go through that hook. Hooks may read and change parameters, gradients
/// and masks through the run. All requirements but the first have a default that does nothing.
package protocol StepHook: AnyObject {
    /// Identifies the hook and its settings in checkpoints.
    var identity: String { get }

    /// Before the first step; not when a run is resumed.
    func trainingWillBegin(_ run: TrainingRun) throws
    /// A step begins: its forward pass follows.
    func willCompute(_ run: TrainingRun) throws
    /// The gradients of this step are known and the parameters still the old ones.
    func willUpdate(_ run: TrainingRun) throws
    /// The parameters were updated; ``TrainingRun/stepsDone`` counts this step already.
    func didUpdate(_ run: TrainingRun) throws
    /// An epoch's last step is done; its validation follows.
    func epochDidEnd(_ run: TrainingRun) throws

    /// The network to validate, where that is not the one with the parameters as they are.
    func evaluated(_ graph: Graph, in run: TrainingRun) throws -> Graph

    /// Whether the network has its final form already, so that an epoch may count as the best: the accuracy of a
    /// half-pruned network is no measure.
    var isSettled: Bool { get }

    /// What a checkpoint must keep, by name.
    var state: [String: Tensor] { get }
    /// Takes over what ``state`` gave.
    func restore(_ state: [String: Tensor]) throws
}

extension StepHook {
    package func trainingWillBegin(_ run: TrainingRun) throws {}
    package func willCompute(_ run: TrainingRun) throws {}
    package func willUpdate(_ run: TrainingRun) throws {}
    package func didUpdate(_ run: TrainingRun) throws {}
    package func epochDidEnd(_ run: TrainingRun) throws {}
    package func evaluated(_ graph: Graph, in run: TrainingRun) throws -> Graph { graph }
    package var isSettled: Bool { true }
    package var state: [String: Tensor] { [:] }
    package func restore(_ state: [String: Tensor]) throws {}
}
