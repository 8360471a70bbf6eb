import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierTraining

/// Trains an existing model further.
struct FineTune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Trains an existing model further; what is pruned stays pruned.",
        discussion: """
            Weights that are exactly zero in tensors of two and more axes are taken as pruned and stay zero, unless \
            --no-masks is given. With --teacher the model also learns from another one's outputs, for which samples need \
            no labels.

            EXAMPLE
              espalier finetune sparse.onnx --data fashion-mnist --epochs 4 -o better.onnx
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Times through the training data.", valueName: "n"))
    var epochs: Int = 4

    @Option(help: "The learning rate over time.")
    var schedule = RateScheduleName(type: CosineAnnealing.self)

    @Flag(inversion: .prefixedNo, help: "Keep zero weights zero.")
    var masks = true

    @Option(help: ArgumentHelp("A model to learn from.", valueName: "dense.onnx"), completion: .onnx)
    var teacher: String?

    @OptionGroup var distilling: DistillationOptions<NamedTeacher>

    @OptionGroup var training: TrainingOptions<FurtherTraining>

    @OptionGroup var robust: RobustTrainingOptions

    @OptionGroup var checkpoint: CheckpointOptions

    @OptionGroup var collecting: CollectOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The model to write.", valueName: "model.onnx"),
        completion: .onnx)
    var output: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard epochs > 0 else { throw ValidationError("--epochs must be positive") }
        try training.check(epochs: epochs, schedule: schedule)
        guard teacher != nil || !distilling.isGiven else {
            throw ValidationError("--distillation and --temperature say how to learn from a --teacher")
        }
    }

    func run() throws {
        let collected = collecting.collect.map { _ in EvidenceFile.path(beside: output) }
        let recorder = try RunRecorder(
            "finetune", common, writing: [output, collected, checkpoint.checkpoint],
            reading: [model, teacher], data: data)
        let loaded = try LoadedModel(model)
        let teacher = try teacher.map { try LoadedModel($0) }
        common.console.status("reading \(data)")
        let parts = try DataParts(
            data,
            options: try dataOptions.loadOptions(for: data, models: [loaded] + (teacher.map { [$0] } ?? [])))
        var recipe = training.recipe(epochs: epochs, schedule: schedule, dataset: parts.fit, common: common)
        recipe.regularizations = robust.regularizations
        guard teacher != nil || parts.fit.isLabelled else {
            throw CommandFailure("\(data) has no labels: give a model to learn from with --teacher")
        }
        if teacher != nil {
            if case .targets = parts.fit.labels {
                throw CommandFailure("\(data): --teacher is for classes, and these labels are targets")
            }
            recipe.loss = Distillation(
                temperature: distilling.temperature,
                weight: parts.fit.isLabelled ? distilling.weight : 1,
                hard: recipe.loss as? CrossEntropy ?? CrossEntropy())
        }
        let job = TrainingJob(
            graph: loaded.graph, parts: parts, recipe: recipe, label: "finetune", checkpoint: checkpoint,
            masks: masks ? MaskSet(zerosOf: loaded.graph) : MaskSet(), teacher: teacher?.graph,
            journey: collecting.journey)
        try job.run(output: output, common: common, recorder: recorder, model: loaded)
    }
}
