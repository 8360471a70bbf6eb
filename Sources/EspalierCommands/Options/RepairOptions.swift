import ArgumentParser
import Espalier
import EspalierTraining

/// How pruned networks are repaired: shared by `prune`, `compare` and `pareto`.
struct RepairOptions: ParsableArguments {
    @Option(help: "The learning rate of the repair over time.")
    var learningRateSchedule = RateScheduleName(type: CosineAnnealing.self)

    @OptionGroup var distilling: DistillationOptions<DenseModel>

    @OptionGroup var training: TrainingOptions<UsualTraining>

    @OptionGroup var robust: RobustTrainingOptions

    /// Refuses what has no effect on a repair of so many epochs.
    func check(epochs: Int) throws {
        try training.check(epochs: epochs, schedule: learningRateSchedule)
    }

    func repair(
        epochs: Int, schedule: PrunePipeline.ScheduleKind = .oneShot, dataset: Dataset,
        common: ResultOptions<some StoreUse>
    ) -> PrunePipeline.Repair {
        PrunePipeline.Repair(
            recipe: recipe(
                epochs: epochs, schedule: learningRateSchedule, dataset: dataset, common: common),
            schedule: schedule, distillationWeight: distilling.weight,
            distillationTemperature: distilling.temperature)
    }

    /// By which a network is trained that repaired ones are compared with.
    func recipe(
        epochs: Int, schedule: RateScheduleName, dataset: Dataset, common: ResultOptions<some StoreUse>
    ) -> TrainingRecipe {
        var recipe = training.recipe(epochs: epochs, schedule: schedule, dataset: dataset, common: common)
        recipe.regularizations = robust.regularizations
        return recipe
    }

    /// Whether something was said of it.
    var isGiven: Bool {
        learningRateSchedule.type != CosineAnnealing.self || distilling.isGiven || !training.arguments.isEmpty
            || !robust.arguments.isEmpty
    }

    /// As they are given on a command line.
    var arguments: [String] {
        ["--learning-rate-schedule", learningRateSchedule.type.name] + distilling.arguments
            + training.arguments + robust.arguments
    }

    /// For a record's settings.
    func text(epochs: Int) -> String {
        let distillation = "distillation \(distilling.weight) at \(distilling.temperature)"
        return
            (["\(epochs) epochs of \(training.optimizer.type.name)", distillation]
            + robust.regularizations.map(\.identity)).joined(separator: ", ")
    }
}
