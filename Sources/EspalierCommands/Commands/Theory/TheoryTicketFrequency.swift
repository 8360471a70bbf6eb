import ArgumentParser
import Espalier
import EspalierRuns
import EspalierTraining

/// Measures how often randomly pruned networks train, and fits the model of ``TheoryTicket``.
struct TheoryTicketFrequency: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket-frequency",
        abstract: "Measures how often randomly pruned networks train, and fits the closed form to it.",
        discussion: """
            Many networks with one hidden layer of rectified units get the parity of --bits bits to learn, all samples at each \
            step. Before that each weight, but no bias, is kept with probability s. Training has succeeded if its last loss is \
            below --threshold. The model P = a [1 - (1 - s^r)^m] is fitted to the frequencies as theory ticket --fit does; \
            residuals tell where it is wrong.

            Every block of 250 networks is kept in the run store. The same command again, or with more shares or networks, \
            goes on from there, also after a kill.

            EXAMPLE
              espalier theory ticket-frequency --threads 2 -o tickets.csv
              espalier theory ticket-frequency --bits 3 --hidden 32 --shares 0.3,0.5,0.7,1 --networks 100
            """)

    @Option(help: ArgumentHelp("Bits of the parity.", valueName: "n"))
    var bits: Int = 2

    @Option(help: ArgumentHelp("Units of the hidden layer.", valueName: "n"))
    var hidden: Int = 16

    @Option(help: ArgumentHelp("Probabilities of keeping a weight, above 0.", valueName: "s1,s2,..."))
    var shares = KeptShares(values: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 1])

    @Option(help: ArgumentHelp("Networks of each share.", valueName: "n"))
    var networks: Int = 2000

    @Option(help: ArgumentHelp("Steps of training, by Adam.", valueName: "n"))
    var steps: Int = 500

    @Option(help: ArgumentHelp("The learning rate.", valueName: "rate"))
    var learningRate: Double = 0.02

    @Option(help: ArgumentHelp("The loss below which training has succeeded.", valueName: "loss"))
    var threshold: Double = 0.05

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Also write frequencies and fit, as comma-separated values.", valueName: "file.csv"),
        completion: .file(extensions: ["csv"]))
    var output: String?

    @OptionGroup var common: TrialOptions

    func validate() throws {
        guard (1...10).contains(bits) else {
            throw ValidationError("--bits must be between 1 and 10, not \(bits)")
        }
        guard (1...4096).contains(hidden) else {
            throw ValidationError("--hidden must be between 1 and 4096, not \(hidden)")
        }
        guard (1...1_000_000).contains(networks), (1...1_000_000).contains(steps) else {
            throw ValidationError("--networks and --steps must be between 1 and 1000000")
        }
        guard learningRate > 0, learningRate.isFinite, threshold > 0, threshold.isFinite else {
            throw ValidationError("--learning-rate and --threshold must be positive")
        }
    }

    func run() throws {
        let recorder = try RunRecorder("theory ticket-frequency", common, writing: [output])
        let store = try RunStore(at: common.store ?? RunStore.defaultPath())
        let measurement = TicketFrequency(
            task: ParityTask(bits: bits), hidden: hidden, shares: shares.values, networks: networks,
            steps: steps, learningRate: learningRate, lossThreshold: threshold, seed: common.seed,
            template: recorder.record(model: nil))
        let experiment = try measurement.experiment()
        let outcome = try common.run(measurement.trials(), of: experiment, in: store)
        // Without a single result there is nothing to fit.
        if outcome.records.isEmpty { try outcome.check() }
        let tickets = try RunRecord.TicketFrequencies.fitted(
            to: measurement.observations(outcome.records), samples: TicketFitDocument.usualSamples,
            seed: common.seed)
        var record = try measurement.described(recorder.record(model: nil))
        record.ticketFrequencies = tickets
        record.request = [
            .init("task", "parity of \(bits) bits, all \(1 << bits) samples at each step"),
            .init("network", "\(hidden) hidden units, \(measurement.weightCount) weights under masks"),
            .init(
                "training", "\(steps) steps of Adam at \(learningRate), success below a loss of \(threshold)"),
            .init("experiment", String(experiment.hash.prefix(8))),
        ]
        record.refusals = outcome.refusals
        record.outputs = output.map { [$0] }
        if let output {
            try OutputFile.write(TicketFile.text(tickets), to: output)
            common.console.status("wrote \(output)")
        }
        TicketTable.tell(tickets, on: common.console)
        try common.deliver(record)
        try outcome.check()
    }
}

/// Shares of weights to keep, separated by commas, each above 0 and at most 1.
struct KeptShares: ExpressibleByArgument {
    /// Ascending, each once.
    let values: [Double]

    init(values: [Double]) {
        self.values = values
    }

    init?(argument: String) {
        let values = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.filter { !$0.isWhitespace })
        }
        guard !values.isEmpty, values.allSatisfy({ $0.map { $0 > 0 && $0 <= 1 } ?? false }) else {
            return nil
        }
        self.values = Set(values.compactMap { $0 }).sorted()
    }

    var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}
