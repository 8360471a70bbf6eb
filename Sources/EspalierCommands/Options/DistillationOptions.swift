import ArgumentParser

/// How much is learned from another network's outputs (Hinton et al. 2015): shared by `finetune` and by what repairs.
struct DistillationOptions<Source: DistillationSource>: ParsableArguments {
    @Option(
        name: .customLong("distillation"),
        help: ArgumentHelp(
            "Weight of the outputs of \(Source.name) in the loss; without it \(Self.usualWeight).",
            valueName: "share"))
    var givenWeight: Double?

    @Option(
        name: .customLong("temperature"),
        help: ArgumentHelp(
            "What those outputs are divided by first: the more, the more unlikely classes tell; without it \(Self.usualTemperature).",
            valueName: "t"))
    var givenTemperature: Double?

    private static var usualWeight: Double { 0.5 }
    private static var usualTemperature: Double { 2 }

    var weight: Double { givenWeight ?? Self.usualWeight }
    var temperature: Double { givenTemperature ?? Self.usualTemperature }
    /// Whether something was said of it.
    var isGiven: Bool { givenWeight != nil || givenTemperature != nil }

    func validate() throws {
        guard (0...1).contains(weight) else {
            throw ValidationError("--distillation must be from 0 to 1")
        }
        guard temperature > 0, temperature.isFinite else {
            throw ValidationError("--temperature must be positive")
        }
    }

    /// As they are given on a command line.
    var arguments: [String] { ["--distillation", "\(weight)", "--temperature", "\(temperature)"] }
}

/// Whose outputs are learned from.
protocol DistillationSource {
    /// For help.
    static var name: String { get }
}

/// The network that was pruned, as it was.
enum DenseModel: DistillationSource {
    static let name = "the dense model"
}

/// Another network, which is named.
enum NamedTeacher: DistillationSource {
    static let name = "the teacher"
}
