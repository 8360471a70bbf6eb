import ArgumentParser
import EspalierPruning

/// How scores are put together and compared: options of commands that score.
struct ScoringOptions<Use: ScoreUse>: ParsableArguments {
    @Option(help: ArgumentHelp(Use.aggregation))
    var aggregation: Reduction?

    @Option(help: ArgumentHelp(Use.normalization))
    var normalization: ScoreNormalization?
}

/// What a command has scores for.
protocol ScoreUse {
    /// Help of `--aggregation`.
    static var aggregation: String { get }
    /// Help of `--normalization`.
    static var normalization: String { get }
}

/// To remove what scores least.
enum ScoresToPrune: ScoreUse {
    static let aggregation =
        "How a channel's, or block's, score is made of its weights'; without it as the criterion has it, and of a "
        + "block the sum."
    static let normalization =
        "How layers are made comparable; without it channels as the criterion has it, weights not at all."
}

/// To be looked at.
enum ScoresToShow: ScoreUse {
    static let aggregation =
        "How a channel's score is made of its weights'; without it as the criterion has it."
    static let normalization = "How layers are made comparable; without it they are not."
}

extension Reduction: ExpressibleByArgument {}
extension ScoreNormalization: ExpressibleByArgument {}
