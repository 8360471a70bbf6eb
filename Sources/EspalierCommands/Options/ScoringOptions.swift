import ArgumentParser
import EspalierPruning

/// How scores are put together and compared: options of commands that score.
struct ScoringOptions: ParsableArguments {
    @Option(
        help:
            "How a channel's, or block's, score is made of its weights'; without it as the criterion has it, or the sum."
    )
    var aggregation: Reduction?

    @Option(
        help: "How layers are made comparable; without it prune does as the criterion has it, score nothing.")
    var normalization: ScoreNormalization?
}

extension Reduction: ExpressibleByArgument {}
extension ScoreNormalization: ExpressibleByArgument {}
