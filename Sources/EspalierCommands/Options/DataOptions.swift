import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierOperators
import EspalierTraining

/// Where samples come from and how they are prepared: options beside `--data`.
struct DataOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Multiplies raw values first.", valueName: "factor"))
    var scale: Float?

    @Option(
        help: ArgumentHelp("Is subtracted then: one number, or one for each channel.", valueName: "m1,m2,...")
    )
    var mean: FloatList?

    @Option(
        help: ArgumentHelp("Divides in the end: one number, or one for each channel.", valueName: "s1,s2,...")
    )
    var std: FloatList?

    @Option(help: "How a sample's axes lie.")
    var layout: LayoutName?

    @Option(help: "What labels are: numbers of classes, or targets of a regression.")
    var labels: LabelName = .automatic

    @Option(help: ArgumentHelp("Decides on parts that the source does not have of its own.", valueName: "n"))
    var splitSeed: UInt64 = 0

    /// Of `--data`.
    static let help = ArgumentHelp(
        "Data: \(DataSource.forms.joined(separator: ", ")).", valueName: "data")

    /// The source that the value of `--data` names.
    @Sendable static func source(_ text: String) throws -> DataSource {
        do throws(DataError) { return try DataSource(text) } catch {
            throw ValidationError("\(error.reason)")
        }
    }

    /// How to read `source` for `graph`: preparation as said here; what is not said, as the model's metadata say or,
    /// if they say nothing, as is usual for the source.
    ///
    /// - Throws: ``DataError`` if the metadata are damaged; ``ModelInputError`` if random data are wanted and a shape is
    ///   open.
    func loadOptions(for source: DataSource, graph: Graph? = nil) throws -> LoadOptions {
        var options = LoadOptions(preprocessing: try preprocessing(for: source, graph: graph))
        options.splitSeed = splitSeed
        options.labelKind = labels.kind
        if case .random = source, let graph {
            options.randomSeed = splitSeed
            options.randomInputs = try ModelInputs.random(for: graph, samples: 1, seed: 0).tensors
                .sorted { $0.key < $1.key }
                .map {
                    .init(
                        name: $0.key, sampleShape: .init(Array($0.value.shape.extents.dropFirst())),
                        dtype: $0.value.dtype)
                }
        }
        return options
    }

    /// How to read `source` for several models, all of which are given the same samples.
    ///
    /// - Throws: `CommandFailure` for models that were made for data prepared differently, if it is not said here how; what
    ///   ``loadOptions(for:graph:)`` throws.
    func loadOptions(for source: DataSource, models: [LoadedModel]) throws -> LoadOptions {
        if let first = models.first {
            let wanted = try preprocessing(for: source, graph: first.graph)
            for other in models.dropFirst()
            where try preprocessing(for: source, graph: other.graph) != wanted {
                throw CommandFailure(
                    "\(first.path) and \(other.path) were made for data prepared in different ways: say with --scale, --mean, --std and --layout how all are to get them"
                )
            }
        }
        return try loadOptions(for: source, graph: models.first?.graph)
    }

    /// As they are given on a command line.
    var arguments: [String] {
        func list(_ numbers: FloatList) -> String { numbers.values.map { "\($0)" }.joined(separator: ",") }
        var arguments: [String] = []
        // Joined by =, for a number may be negative.
        if let scale { arguments += ["--scale=\(scale)"] }
        if let mean { arguments += ["--mean=\(list(mean))"] }
        if let std { arguments += ["--std=\(list(std))"] }
        if let layout { arguments += ["--layout", layout.rawValue] }
        if labels != .automatic { arguments += ["--labels", labels.rawValue] }
        if splitSeed != 0 { arguments += ["--split-seed", "\(splitSeed)"] }
        return arguments
    }

    private func preprocessing(for source: DataSource, graph: Graph?) throws -> Preprocessing {
        var preprocessing =
            try graph.flatMap { try Preprocessing(recordedIn: $0) } ?? source.defaultPreprocessing
        if let scale { preprocessing.scale = scale }
        if let mean { preprocessing.mean = mean.values }
        if let std { preprocessing.standardDeviation = std.values }
        if let layout { preprocessing.layout = layout.layout }
        return preprocessing
    }
}

/// Numbers separated by commas.
struct FloatList: ExpressibleByArgument, Equatable {
    let values: [Float]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Float($0.drop { $0 == " " })
        }
        guard parts.allSatisfy({ $0?.isFinite ?? false }) else { return nil }
        values = parts.compactMap { $0 }
    }
}

/// ``Preprocessing/Layout`` as options are written.
enum LayoutName: String, ExpressibleByArgument, CaseIterable {
    case asGiven = "as-given"
    case channelsFirst = "channels-first"
    case channelsLast = "channels-last"
    case flat

    var layout: Preprocessing.Layout {
        switch self {
        case .asGiven: .asGiven
        case .channelsFirst: .channelsFirst
        case .channelsLast: .channelsLast
        case .flat: .flat
        }
    }
}

/// ``LoadOptions/LabelKind`` as options are written.
enum LabelName: String, ExpressibleByArgument, CaseIterable {
    case automatic, classes, targets, none

    var kind: LoadOptions.LabelKind {
        switch self {
        case .automatic: .automatic
        case .classes: .classes
        case .targets: .targets
        case .none: .absent
        }
    }
}

/// A part of a data source, as an option.
struct SplitName: ExpressibleByArgument {
    let split: DataSplit

    init(_ split: DataSplit) { self.split = split }

    init?(argument: String) {
        guard let split = DataSplit(rawValue: argument) else { return nil }
        self.split = split
    }

    var defaultValueDescription: String { split.rawValue }
    static var allValueStrings: [String] { DataSplit.allCases.map(\.rawValue) }
}
