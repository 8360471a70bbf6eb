package import EspalierLottery
package import EspalierRuns
import EspalierTraining

/// An experiment that measures what ``EspalierLottery/TicketProbability`` is a model of: of many small networks each weight
/// is kept with probability s, before training, and it is counted how many learn a small task all the same.
///
/// A trial is a block of networks of one s. Networks differ in initial weights and masks; their training is of all samples
/// at once and has no randomness. No two networks of the experiment share a random number, also not at different s, since
/// the likelihood of the fit takes them as independent.
package struct TicketFrequency: Sendable {
    package var task: ParityTask
    /// Units of the hidden layer.
    package var hidden: Int
    /// The shares s, ascending, each above 0 and at most 1.
    package var shares: [Double]
    /// Networks of each share.
    package var networks: Int
    /// Networks of one trial: what an interruption costs at most.
    package var blockSize = 250
    /// Steps of training, each on all samples.
    package var steps: Int
    package var learningRate: Double
    /// Training has succeeded when the last step's loss, of all samples, is below.
    package var lossThreshold: Double
    package var seed: UInt64
    /// How trials' records begin: the command, its arguments, the machine.
    package var template: RunRecord

    package init(
        task: ParityTask, hidden: Int, shares: [Double], networks: Int, steps: Int, learningRate: Double,
        lossThreshold: Double, seed: UInt64, template: RunRecord
    ) {
        self.task = task
        self.hidden = hidden
        self.shares = shares
        self.networks = networks
        self.steps = steps
        self.learningRate = learningRate
        self.lossThreshold = lossThreshold
        self.seed = seed
        self.template = template
    }

    /// The weights that masks are drawn for: all but the biases.
    package var weightCount: Int { (task.bits + 2) * hidden }

    /// A record with what all networks have in common.
    package func described(_ record: RunRecord) throws -> RunRecord {
        let dataset = try task.dataset()
        var record = record
        record.model = .init(name: OneHiddenLayer(width: hidden).name)
        record.data = .init(
            name: dataset.name, fingerprint: dataset.fingerprint, trainingSamples: dataset.sampleCount)
        return record
    }

    /// What results depend on besides a trial's own share and block. More networks or shares later belong to the same
    /// experiment.
    package func experiment() throws -> Experiment {
        Experiment(
            command: template.command,
            configuration: [
                "bits": .integer(Int64(task.bits)), "hidden": .integer(Int64(hidden)),
                "blockSize": .integer(Int64(blockSize)), "lossThreshold": JSONValue(lossThreshold),
                "seed": JSONValue(seed), "recipe": .object(recipe.described),
            ],
            codeVersion: EspalierVersion.current, dataFingerprint: try task.dataset().fingerprint)
    }

    /// A batch is the whole data set, and a step an epoch.
    var recipe: TrainingRecipe {
        TrainingRecipe(
            epochs: steps, batchSize: 1 << task.bits, optimizer: Adam(),
            schedule: ConstantRate(peak: learningRate), keepsBest: false)
    }

    /// All trials, those of one share together.
    package func trials() throws -> [Trial] {
        let dataset = try task.dataset()
        return shares.flatMap { share in
            blocks.map { block in
                Trial(
                    key: Self.key(share: share, block: block), seed: seed,
                    configuration: [
                        "share": JSONValue(share), "networks": .integer(Int64(block.count)),
                    ],
                    body: { try measure($0, share: share, block: block, dataset: dataset) })
            }
        }
    }

    /// The numbers of the networks in each trial of one share.
    private var blocks: [Range<Int>] {
        stride(from: 0, to: networks, by: blockSize).map { $0..<min($0 + blockSize, networks) }
    }

    private static func key(share: Double, block: Range<Int>) -> String {
        "share=\(share)/networks=\(block.lowerBound)-\(block.upperBound - 1)"
    }

    /// What the finished trials observed.
    ///
    /// - Throws: ``EspalierLottery/TicketError`` if none is finished.
    package func observations(_ records: [String: RunRecord]) throws(TicketError) -> TicketObservations {
        var points: [TicketObservations.Point] = []
        for share in shares {
            for block in blocks {
                guard let figures = records[Self.key(share: share, block: block)]?.figures,
                    let successes = figures[Self.successes]
                else { continue }
                points.append(.init(share: share, successes: Int(successes), trials: block.count))
            }
        }
        return try TicketObservations(points)
    }

    static let successes = "successes"
}
