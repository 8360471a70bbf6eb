import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierTraining

/// Trains a reference architecture from scratch.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a network of a reference architecture from scratch and writes it as ONNX.",
        discussion: """
            The result is the network after the epoch that did best on a seeded validation part of the training data; the \
            test data are read once, at the end.

            ARCHITECTURES
            \(Architectures.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

            EXAMPLE
              espalier train --arch lenet-5 --data fashion-mnist --epochs 8 -o dense.onnx
            """)

    @Option(
        help: ArgumentHelp("The architecture; see below.", valueName: "name"),
        completion: .list(Architectures.all.map(\.name)))
    var arch: String

    @Option(
        help: ArgumentHelp(
            "A pruned model of this architecture whose widths to take: the slim network from scratch.",
            valueName: "slim.onnx"), completion: .onnx)
    var widthsOf: String?

    @Option(help: "The function between layers.")
    var activation: Activation = .relu

    @Option(help: DataOptions.help, transform: DataOptions.source)
    var data: DataSource

    @OptionGroup var dataOptions: DataOptions

    @Option(help: ArgumentHelp("Times through the training data.", valueName: "n"))
    var epochs: Int = 8

    @Option(help: "The learning rate over time.")
    var schedule = RateScheduleName(type: OneCycle.self)

    @OptionGroup var training: TrainingOptions<UsualTraining>

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
        guard Architectures.named(arch) != nil else {
            throw ValidationError(
                "--arch \(arch) is none of \(Architectures.all.map(\.name).joined(separator: ", "))")
        }
        if case .random = data {
            throw ValidationError(
                "--data random takes its shape from a model, and there is none yet: train needs images with class labels, such as digits"
            )
        }
    }

    func run() throws {
        let collected = collecting.collect.map { _ in EvidenceFile.path(beside: output) }
        let recorder = try RunRecorder(
            "train", common, writing: [output, collected, checkpoint.checkpoint], reading: [widthsOf],
            data: data)
        common.console.status("reading \(data)")
        let options = try dataOptions.loadOptions(for: data)
        let parts = try DataParts(data, options: options)
        let graph = try freshNetwork(parts)
        var recipe = training.recipe(epochs: epochs, schedule: schedule, dataset: parts.fit, common: common)
        recipe.regularizations = robust.regularizations
        let job = TrainingJob(
            graph: graph, parts: parts, recipe: recipe, label: arch, checkpoint: checkpoint,
            journey: collecting.journey)
        try job.run(output: output, common: common, recorder: recorder, model: nil)
    }

    private func freshNetwork(_ parts: DataParts) throws -> Graph {
        guard let architecture = Architectures.named(arch) else {
            throw CommandFailure("no architecture '\(arch)'")
        }
        var options = try parts.fit.architectureOptions(activation: activation, name: arch)
        options.seed = common.seed
        if let widthsOf {
            options.widths = try architecture.widths(of: LoadedModel(widthsOf).graph, options: options)
        }
        return try architecture.graph(options)
    }
}

extension Activation: ExpressibleByArgument {}

extension Dataset {
    /// What a network of the architecture called `name` must be like for these data.
    ///
    /// - Throws: ``CommandFailure`` if they are not images with classes.
    func architectureOptions(activation: Activation, name: String) throws -> ArchitectureOptions {
        guard sampleShape.rank == 3, let classCount else {
            throw CommandFailure(
                "\(name) is for images with class labels; samples of \(self.name) have shape \(sampleShape)")
        }
        return ArchitectureOptions(
            channels: sampleShape[0], height: sampleShape[1], width: sampleShape[2], classCount: classCount,
            activation: activation)
    }
}
