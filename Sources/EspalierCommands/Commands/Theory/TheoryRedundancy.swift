import ArgumentParser
import EspalierRedundancy
import EspalierReports
import EspalierTensors

/// What becomes of groups of interchangeable units when units are removed at random.
struct TheoryRedundancy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redundancy",
        abstract: "Tells how probably functional groups fail when units are removed at random.",
        discussion: """
            A group of m interchangeable units fails when all of them are gone: with probability q^m if each unit is \
            removed with probability q (--q), and C(n-m, k-m) / C(n, k) if exactly k of all n are (--pruned). \
            --reliability asks for the largest q at which no group fails with that probability. Beside each \
            prediction stands what a simulation of it gave, with the exact binomial interval (99 %).

            EXAMPLE
              espalier theory redundancy --units 10 --q 0.5
              espalier theory redundancy --units 8,8,3 --pruned 6
              espalier theory redundancy --units 4 --groups 100 --reliability 0.99
            """)

    @Option(help: ArgumentHelp("Units in each group, separated by commas.", valueName: "m,..."))
    var units: SizeList

    @Option(help: ArgumentHelp("So many groups of each size.", valueName: "n"))
    var groups: Int = 1

    @Option(help: ArgumentHelp("Each unit is removed with that probability.", valueName: "probability"))
    var q: Double?

    @Option(help: ArgumentHelp("Exactly so many of all units are removed.", valueName: "k"))
    var pruned: Int?

    @Option(
        help: ArgumentHelp("No group is to fail with that probability.", valueName: "probability"))
    var reliability: Double?

    @Option(help: ArgumentHelp("Simulated removals.", valueName: "n"))
    var trials: Int = 100_000

    @Option(help: ArgumentHelp("Seed of the simulation.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var output: ConsoleOptions

    func validate() throws {
        guard q != nil || pruned != nil || reliability != nil else {
            throw ValidationError("say what is removed: --q, --pruned or --reliability")
        }
        guard q == nil || pruned == nil else {
            throw ValidationError("--q and --pruned are two ways to remove; give one")
        }
        if let q, !(0...1).contains(q) { throw ValidationError("--q must be between 0 and 1, not \(q)") }
        if let reliability, !(0...1).contains(reliability) {
            throw ValidationError("--reliability must be between 0 and 1, not \(reliability)")
        }
        let (all, overflows) = units.values.reduce(0, +).multipliedReportingOverflow(by: groups)
        guard groups > 0, !overflows, all <= Self.mostUnits else {
            throw ValidationError("--groups must be positive, and all units at most \(Self.mostUnits)")
        }
        if let pruned, !(0...all).contains(pruned) {
            throw ValidationError("--pruned must be between 0 and all \(all) units, not \(pruned)")
        }
        guard (1...Self.mostTrials).contains(trials) else {
            throw ValidationError("--trials must be between 1 and \(Self.mostTrials), not \(trials)")
        }
    }

    private static let mostUnits = 100_000
    private static let mostTrials = 1_000_000_000

    func run() throws {
        let sizes = try GroupSizes(units.values.flatMap { [Int](repeating: $0, count: groups) })
        var document = RedundancyFigures(sizes: sizes, trials: trials, seed: seed)
        if let reliability {
            let largest = try LargestRate.of(sizes, risk: 1 - reliability)
            document.reliability = reliability
            document.largestQ = largest
            if q == nil, pruned == nil {
                try document.add(try IndependentRemoval(sizes, rate: largest))
            }
        }
        if let q { try document.add(try IndependentRemoval(sizes, rate: q)) }
        if let pruned { try document.add(try UniformRemoval(sizes, removed: pruned)) }
        try output.console.document(document)
        tell(document)
    }

    private func tell(_ document: RedundancyFigures) {
        let console = output.console
        let percent = Format.percent(RedundancyFigures.confidence, digits: 0)
        var table = Table([
            ("figure", .left), ("predicted", .right), ("simulated", .right), ("\(percent) interval", .left),
        ])
        for figure in document.figures {
            table.add(
                figure.name, Self.text(figure.predicted), Self.text(figure.simulated),
                figure.lower.flatMap { lower in
                    figure.upper.map { "\(Format.significant(lower)) to \(Format.significant($0))" }
                } ?? "")
        }
        console.result(table)
        var facts = FactSheet()
        facts.add(
            "units",
            "\(Format.count(document.units)) in "
                + (document.groups == 1 ? "one group" : "\(Format.count(document.groups)) groups"))
        if let q = document.q { facts.add("removed", "each unit with probability \(Self.text(q))") }
        if let pruned = document.pruned { facts.add("removed", "exactly \(Format.count(pruned)) units") }
        facts.add("trials", "\(Format.count(document.trials)), seed \(document.seed)")
        if let largest = document.largestQ, let reliability = document.reliability {
            facts.add(
                "largest q", "\(Self.text(largest)), at which no group fails with probability \(reliability)")
        }
        console.result("\n" + facts.rendered())
    }

    private static func text(_ value: Double) -> String { Format.digits(value, 10) }
}

/// Positive whole numbers separated by commas.
struct SizeList: ExpressibleByArgument, Equatable {
    let values: [Int]

    /// Sums of a few stay whole numbers.
    private static let largest = 100_000

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0.filter { !$0.isWhitespace })
        }
        guard parts.allSatisfy({ (1...Self.largest).contains($0 ?? 0) }) else { return nil }
        values = parts.compactMap { $0 }
    }
}
