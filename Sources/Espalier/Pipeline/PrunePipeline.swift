package import EspalierGraphs
package import EspalierKernels
package import EspalierPruning
package import EspalierTensors
package import EspalierTraining

/// The main job: plan, cut or mask, repair, and say what was done.
///
/// Every choice is made on training and validation data; the test data are read once for the network before and once
/// for the network after.
package struct PrunePipeline {
    /// How the network is repaired after, or while, it is pruned.
    package struct Repair: Sendable {
        package var recipe: TrainingRecipe
        package var schedule: ScheduleKind
        /// The share of the kept weights that is exchanged for dropped ones in the course of a schedule.
        package var regrowth = 0.0
        /// The share of the repair's steps over which a schedule other than one-shot prunes, or of its epochs in which a
        /// penalty is charged.
        package var pruningShare: Double
        /// Weight of the dense network's outputs in the loss, 0 to 1; the labels have the rest.
        package var distillationWeight: Double
        package var distillationTemperature: Double

        package init(
            recipe: TrainingRecipe, schedule: ScheduleKind = .oneShot, pruningShare: Double = 0.5,
            distillationWeight: Double = 0.5, distillationTemperature: Double = 2
        ) {
            self.recipe = recipe
            self.schedule = schedule
            self.pruningShare = pruningShare
            self.distillationWeight = distillationWeight
            self.distillationTemperature = distillationTemperature
        }
    }

    /// How it is found what goes.
    package enum Method: Sendable {
        /// By the request's criterion, when the repair's schedule says.
        case planned
        /// In training.
        case training(SparseTraining)
    }

    /// How training makes a network sparse.
    package enum SparseTraining: Sendable {
        /// Units or weights that a penalty on the cost brings to zero; see ``EspalierSearch/GroupPenalty``.
        case lagrangian(Charge)
        /// Units whose hard concrete gates close; see ``EspalierSearch/GatedUnits``.
        case gates(Charge)
        /// Weights whose places change while the network trains; see ``EspalierPruning/DynamicSparseTraining``.
        case dynamic(Regrowth.Growth)
    }

    /// What sparsity is bought with.
    package struct Charge: Sendable {
        /// What the penalty is on.
        package var cost: CostFunction
        /// The loss that the whole cost is worth; nil for whatever meets the request's targets.
        package var lambda: Double?

        package init(cost: CostFunction, lambda: Double?) {
            self.cost = cost
            self.lambda = lambda
        }
    }

    package enum ScheduleKind: String, Sendable, CaseIterable {
        case oneShot = "one-shot"
        case iterative
        case cubic
    }

    /// The parts of the data that pruning uses.
    package struct Data: Sendable {
        package var fit: Dataset
        package var validation: Dataset?
        package var test: Dataset?

        package init(fit: Dataset, validation: Dataset?, test: Dataset?) {
            self.fit = fit
            self.validation = validation
            self.test = test
        }
    }

    package struct Outcome {
        package var graph: Graph
        /// Right after the cut, before the repair; nil where there is no such moment.
        package var cut: Graph?
        package var plan: PrunePlan
        package var receipt: Receipt
        package var before: Evaluation?
        /// On the validation data, before any repair; nil for schedules that prune while repairing.
        package var pruned: Evaluation?
        package var after: Evaluation?
        package var history: [EpochSummary]
        /// Cut against masked, where channels were cut.
        package var surgery: Verification?
        package var isInterrupted: Bool
        /// Accuracy lost on the validation data, where that decided how far to go.
        package var validationDrop: Double?
    }

    package enum Event: Sendable {
        case stage(String)
        case training(TrainingEvent)
    }

    package var request: PruningRequest
    package var method = Method.planned
    package var repair: Repair?
    /// Shapes of inputs which the network leaves open; those that are not given are those of the data's samples.
    package var inputShapes: [ValueID: Shape] = [:]
    /// Samples from which evidence is measured.
    package var evidenceSamples = 2000
    package var seed: UInt64 = 0
    /// What distillation learns from; nil for the network as it was.
    package var teacher: Teacher?
    /// Evidence that is at hand already: what training left behind.
    package var recorded = Evidence.none
    /// Where and how often the repair is saved; nil for nowhere. What comes before it is done again, to the same effect.
    package var checkpoints: CheckpointPolicy?
    /// Whether the repair goes on from its checkpoint, if there is one.
    package var resumes = false
    /// Called while evidence is measured, before every batch; may throw to stop.
    package var willMeasureBatch: () throws -> Void = {}
    /// Where all of it computes.
    package let lane: Lane

    package init(request: PruningRequest, repair: Repair?, lane: Lane) {
        self.request = request
        self.repair = repair
        self.lane = lane
    }
}
