import ArgumentParser

/// The closed forms that pruning rests on: one subcommand, and one file, for each subject.
struct Theory: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates the closed forms behind pruning.",
        discussion: """
            EXAMPLE
              espalier theory redundancy --units 10 --q 0.5
              espalier theory efficiency --rows 3072 --columns 768 --batch 128 --sparsity 0.9
            """,
        subcommands: [TheoryRedundancy.self, TheoryEfficiency.self])
}
