import ArgumentParser
import EspalierLottery
import EspalierReports

/// The chance that a randomly pruned network holds a winning ticket.
struct TheoryTicket: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket",
        abstract: "Tells how probably a randomly pruned network holds a winning ticket and trains.",
        discussion: """
            There are m candidate subnetworks of r weights, none in two of them. Each weight is kept with probability s; a \
            candidate that is kept whole is a ticket, and with one training succeeds with probability a: \
            P = a [1 - (1 - s^r)^m]. With --probability in place of --s, --r or --m that quantity is asked for. Beside each \
            prediction stands what a simulation of it gave, with the exact binomial interval (99 %). --weights tells what \
            becomes of it when the candidates are chosen at random among so many weights, and overlap.

            --fit estimates a, r and m from observed successes by maximum likelihood, with 95 % intervals, and says whether the \
            observations speak against the model.

            EXAMPLE
              espalier theory ticket --a 0.9 --s 0.5 --r 10 --m 1000
              espalier theory ticket --a 0.9 --s 0.5 --r 10 --probability 0.8
              espalier theory ticket --a 0.9 --s 0.5 --r 10 --m 1000 --weights 200
              espalier theory ticket --fit tickets.csv
            """)

    @Option(
        help: ArgumentHelp(
            "Training succeeds with that probability if there is a ticket.", valueName: "probability"))
    var a: Double = 1

    @Option(help: ArgumentHelp("Each weight is kept with that probability.", valueName: "probability"))
    var s: Double?

    @Option(help: ArgumentHelp("Weights of a candidate.", valueName: "n"))
    var r: Int?

    @Option(help: ArgumentHelp("Candidates.", valueName: "n"))
    var m: Int?

    @Option(help: ArgumentHelp("Training is to succeed with that probability.", valueName: "probability"))
    var probability: Double?

    @Option(help: ArgumentHelp("Weights that overlapping candidates are chosen among.", valueName: "n"))
    var weights: Int?

    @Option(
        help: ArgumentHelp(
            "Fits the model to a table with the columns s, successes and trials.", valueName: "file.csv"),
        completion: .file(extensions: ["csv"]))
    var fit: String?

    @Option(
        help: ArgumentHelp("Simulated networks, or tables drawn from a fitted model.", valueName: "n"))
    var trials: Int?

    @Option(help: ArgumentHelp("Seed of the simulation.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var output: ConsoleOptions

    func validate() throws {
        if fit != nil {
            guard s == nil, r == nil, m == nil, probability == nil, weights == nil else {
                throw ValidationError(
                    "--fit takes all from its table: leave --s, --r, --m and the others out")
            }
        } else {
            let given = [s != nil, r != nil, m != nil, probability != nil].count { $0 }
            guard given == 3 else {
                throw ValidationError("give three of --s, --r, --m and --probability; the fourth is told")
            }
        }
        for (name, value) in [("--a", a), ("--s", s), ("--probability", probability)] {
            if let value, !(0...1).contains(value) {
                throw ValidationError("\(name) must be between 0 and 1, not \(value)")
            }
        }
        for (name, value) in [("--r", r), ("--m", m), ("--weights", weights)] {
            if let value, !(0...Self.largest).contains(value) {
                throw ValidationError("\(name) must be between 0 and \(Self.largest), not \(value)")
            }
        }
        if let trials, !(1...Self.mostTrials).contains(trials) {
            throw ValidationError("--trials must be between 1 and \(Self.mostTrials), not \(trials)")
        }
    }

    /// Whole numbers up to this are doubles.
    private static let largest = 1 << 53
    private static let mostTrials = 1_000_000_000

    func run() throws {
        if let fit {
            let document = try TicketFitDocument(
                file: fit, samples: trials ?? TicketFitDocument.usualSamples, seed: seed)
            try output.console.document(document)
            TicketTable.tell(document.ticketFrequencies, on: output.console)
        } else {
            let document = try figures()
            try output.console.document(document)
            tell(document)
        }
    }

    private func figures() throws -> TicketFigures {
        let count = trials ?? 100_000
        guard let probability else {
            return try TicketFigures(
                a: a, s: s ?? 0, r: Double(r ?? 0), m: Double(m ?? 0), weights: weights, trials: count,
                seed: seed)
        }
        var solved: TicketFigures.Solution
        var (s, r, m) = (self.s ?? 0, Double(self.r ?? 0), Double(self.m ?? 0))
        if self.m == nil {
            solved = .init(
                name: "m",
                value: try TicketProbability.count(
                    probability: probability, trainability: a, share: s, size: r))
            m = try TicketProbability.wholeCount(
                probability: probability, trainability: a, share: s, size: r)
            solved.whole = m
        } else if self.r == nil {
            r = try TicketProbability.size(probability: probability, trainability: a, share: s, count: m)
            solved = .init(name: "r", value: r)
            r = try wholeSize(below: r, share: s, count: m, probability: probability)
            solved.whole = r
        } else {
            s = try TicketProbability.share(probability: probability, trainability: a, size: r, count: m)
            solved = .init(name: "s", value: s)
        }
        return try TicketFigures(
            a: a, s: s, r: r, m: m, weights: weights, trials: count, seed: seed, probability: probability,
            solved: solved)
    }

    /// The largest whole r with which P is at least what is wanted: larger candidates are found less often. `size`, which is
    /// that of real numbers, may be just below a whole number that is meant: a quotient of logarithms is rounded, and so are s,
    /// of which P has the power r, and P.
    private func wholeSize(
        below size: Double, share: Double, count: Double, probability: Double
    ) throws -> Double {
        let above = size.rounded(.up)
        let ticket = try TicketProbability(trainability: a, share: share, size: above, count: count)
        let rounding = (above + 4) * Double.ulpOfOne
        return ticket.probability >= probability * (1 - rounding) ? above : size.rounded(.down)
    }

    private func tell(_ document: TicketFigures) {
        let console = output.console
        let percent = Format.percent(TicketFigures.confidence, digits: 0)
        var table = Table([
            ("figure", .left), ("predicted", .right), ("simulated", .right), ("\(percent) interval", .left),
        ])
        for figure in document.figures {
            table.add(
                figure.name, Self.text(figure.predicted), figure.simulated.map(Self.text) ?? "",
                figure.lower.flatMap { lower in
                    figure.upper.map { "\(Format.significant(lower)) to \(Format.significant($0))" }
                } ?? "")
        }
        console.result(table)
        var facts = FactSheet()
        facts.add(
            "candidates", "\(Self.text(document.m)) of \(Self.text(document.r)) weights")
        facts.add("kept", "each weight with probability \(Self.text(document.s))")
        facts.add("trains", "with probability \(Self.text(document.a)) if there is a ticket")
        facts.add("tickets, mean", Self.text(document.expectedTickets))
        if document.figures.contains(where: { $0.simulated != nil }) {
            facts.add("trials", "\(Format.count(document.trials)), seed \(document.seed)")
        }
        if let solved = document.solved, let probability = document.probability {
            let whole = solved.whole.map { ", or \(Self.text($0)) as a whole number" } ?? ""
            facts.add(
                "wanted", "P = \(Self.text(probability)): \(solved.name) = \(Self.text(solved.value))\(whole)"
            )
        }
        for note in document.notes { facts.add("not simulated", note) }
        console.result("\n" + facts.rendered())
    }

    private static func text(_ value: Double) -> String { Format.digits(value, 10) }
}
