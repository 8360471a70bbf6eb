import ArgumentParser
import EspalierEfficiency
import EspalierKernels
import EspalierReports

/// What a sparse product should take, and what is left of its theoretical speedup.
struct TheoryEfficiency: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "efficiency",
        abstract: "Predicts what a sparse product takes, and how much of its theoretical speedup is left.",
        discussion: """
            A matrix of weights, --rows outputs by --columns inputs, times --batch samples, with --sparsity of the weights \
            zero. Predicted by the cost model that bench shows beside its measurements,
              t = max(MACs / peak, bytes / bandwidth) + visits * a + sums * b + copies * c + shifts * d + fixed,
            whose constants are measured on this machine once and kept. Nothing is computed with the matrix itself.

            EXAMPLE
              espalier theory efficiency --rows 3072 --columns 768 --batch 128 --sparsity 0.9
              espalier theory efficiency --rows 512 --columns 512 --sparsity 0.5 --format csr --json
            """)

    @Option(help: ArgumentHelp("Outputs: units, or filters of a convolution.", valueName: "n"))
    var rows: Int

    @Option(help: ArgumentHelp("Weights of one output.", valueName: "n"))
    var columns: Int

    @Option(help: ArgumentHelp("Samples; of a convolution all positions of all samples.", valueName: "n"))
    var batch: Int = 1

    @Option(help: ArgumentHelp("Share of the weights that are zero.", valueName: "share"))
    var sparsity: Double

    @Option(help: "How the weights are kept; without it each way that there are constants for.")
    var format: KernelFormat?

    @OptionGroup var compute: ThreadOptions

    @OptionGroup var output: ConsoleOptions

    func validate() throws {
        for (name, value) in [("--rows", rows), ("--columns", columns), ("--batch", batch)] {
            guard (1...Self.largest).contains(value) else {
                throw ValidationError("\(name) must be between 1 and \(Self.largest), not \(value)")
            }
        }
        guard (0..<1).contains(sparsity) else {
            throw ValidationError("--sparsity is a share from 0 to below 1")
        }
    }

    /// The product of three stays a number.
    private static let largest = 1_000_000

    func run() throws {
        let lane = try Lane(threads: compute.threads)
        let model = try CostConstants.found(lane: lane, recalibrates: false, console: output.console).model
        let nonzeros = max(1, Int((Double(rows * columns) * (1 - sparsity)).rounded()))
        let work = KernelWork(rows: rows, columns: columns, samples: batch, nonzeros: nonzeros)
        let formats = format.map { [$0] } ?? [.dense, .csr, work.sparseFormat]
        let figures = formats.compactMap { EfficiencyFigures.Figure(work, $0, model) }
        guard !figures.isEmpty else {
            throw CommandFailure(
                "there are no constants for \(formats.map(\.rawValue).joined(separator: ", ")): "
                    + "processors with this instruction set have no kernel for it")
        }
        let document = EfficiencyFigures(
            rows: rows, columns: columns, batch: batch, sparsity: sparsity, threads: lane.threads,
            figures: figures)
        try output.console.document(document)
        tell(document)
    }

    private func tell(_ document: EfficiencyFigures) {
        var table = Table([
            ("format", .left), ("predicted us", .right), ("compute", .right), ("memory", .right),
            ("visits", .right), ("sums", .right), ("copies", .right), ("fixed", .right), ("limit", .left),
            ("theoretical", .right),
            ("predicted", .right), ("efficiency", .right),
        ])
        for figure in document.figures {
            let parts = figure.parts
            let times = [
                figure.predictedUs, parts.compute, parts.memory, parts.visits, parts.sums, parts.copies,
                parts.fixed,
            ]
            table.add(
                [figure.format] + times.map(BenchLayerTable.microseconds) + [
                    figure.limit, BenchTable.times(figure.theoreticalSpeedup),
                    BenchTable.times(figure.predictedSpeedup), Format.percent(figure.realizedEfficiency),
                ])
        }
        let console = output.console
        console.result(table)
        var facts = FactSheet()
        facts.add(
            "product",
            "\(Format.count(document.rows)) x \(Format.count(document.columns)) weights, "
                + "\(Format.share(document.sparsity)) of them zero, times "
                + (document.batch == 1 ? "1 sample" : "\(Format.count(document.batch)) samples")
        )
        facts.add("speedups", "over the predicted dense product")
        console.result("\n" + facts.rendered())
    }
}

/// What `theory efficiency --json` prints.
struct EfficiencyFigures: Encodable {
    let schemaVersion = 1
    let rows: Int
    let columns: Int
    let batch: Int
    let sparsity: Double
    let threads: Int
    let figures: [Figure]

    init(
        rows: Int, columns: Int, batch: Int, sparsity: Double, threads: Int, figures: [Figure]
    ) {
        self.rows = rows
        self.columns = columns
        self.batch = batch
        self.sparsity = sparsity
        self.threads = threads
        self.figures = figures
    }

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, rows, columns, batch, sparsity, threads
        case figures = "formats"
    }

    /// One way to keep the weights. Times are microseconds.
    struct Figure: Encodable {
        let format: String
        let predictedUs: Double
        let parts: Parts
        let limit: String
        let theoreticalSpeedup: Double
        let predictedSpeedup: Double
        let realizedEfficiency: Double

        /// Of compute and memory only the larger counts.
        struct Parts: Encodable {
            let compute: Double
            let memory: Double
            let visits: Double
            let sums: Double
            let copies: Double
            let fixed: Double
        }

        /// - Returns: nil if the model has no constants for the format.
        init?(_ work: KernelWork, _ format: KernelFormat, _ model: KernelCostModel) {
            guard let prediction = model.prediction(work, format: format),
                let speedup = model.speedup(work, format: format)
            else { return nil }
            self.format = format.rawValue
            predictedUs = 1e6 * prediction.seconds
            parts = Parts(
                compute: 1e6 * prediction.compute, memory: 1e6 * prediction.memory,
                visits: 1e6 * prediction.visits, sums: 1e6 * prediction.sums,
                copies: 1e6 * prediction.copies, fixed: 1e6 * prediction.fixed)
            limit = prediction.limit.rawValue
            theoreticalSpeedup = work.theoreticalSpeedup
            predictedSpeedup = speedup
            realizedEfficiency = speedup / work.theoreticalSpeedup
        }
    }
}

extension KernelFormat: ExpressibleByArgument {}
