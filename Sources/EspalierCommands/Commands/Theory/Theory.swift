import ArgumentParser

/// The closed forms that pruning rests on: one subcommand, and one file, for each subject.
struct Theory: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates the closed forms behind pruning.",
        discussion: """
            EXAMPLE
              espalier theory redundancy --units 10 --q 0.5
              espalier theory ticket --a 0.9 --s 0.5 --r 10 --m 1000
              espalier theory efficiency --rows 3072 --columns 768 --batch 128 --sparsity 0.9
            """,
        subcommands: [
            TheoryRedundancy.self, TheoryTicket.self, TheoryTicketFrequency.self, TheoryEfficiency.self,
        ])
}
