import ArgumentParser

/// How much is learned from another network's outputs (Hinton et al. 2015): shared by `finetune` and by what repairs.
struct DistillationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Weight of the outputs of the dense model, or the teacher, in the loss.", valueName: "share"))
    var distillation: Double = 0.5

    @Option(
        help: ArgumentHelp(
            "What those outputs are divided by first: the more, the more unlikely classes tell.",
            valueName: "t"))
    var temperature: Double = 2

    func validate() throws {
        guard (0...1).contains(distillation) else {
            throw ValidationError("--distillation must be from 0 to 1")
        }
        guard temperature > 0, temperature.isFinite else {
            throw ValidationError("--temperature must be positive")
        }
    }

    /// As they are given on a command line.
    var arguments: [String] { ["--distillation", "\(distillation)", "--temperature", "\(temperature)"] }
}
