import ArgumentParser

/// The closed forms that pruning rests on, each with its simulated twin: one subcommand, and one file, for each subject.
struct Theory: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates the closed forms behind pruning, and checks them by simulation.",
        discussion: """
            EXAMPLE
              espalier theory redundancy --units 10 --q 0.5
            """,
        subcommands: [TheoryRedundancy.self])
}
