import ArgumentParser
import Espalier
import EspalierPruning
import EspalierRuns
import EspalierTraining

/// How networks are pruned and repaired that are compared over sparsities and seeds: shared by `compare` and `robustness`.
struct SweepOptions: ParsableArguments {
    @Option(
        name: .customLong("seeds"),
        help: ArgumentHelp(
            "Runs of each, with the seeds from --seed on; without it \(Self.usualSeeds).", valueName: "n"))
    var givenSeeds: Int?

    @Option(
        name: .customLong("granularity"), help: "What is removed at a time; without it element.")
    var givenGranularity: Granularity?

    @Option(
        name: .customLong("scope"),
        help: ArgumentHelp(
            "How layers share the removal; without it \(GlobalScope.information.id).", valueName: "name"))
    var givenScope: ScopeName?

    @Option(
        name: .customLong("schedule"),
        help:
            "When the schedule removes: all at once before the repair, as without it, or in the course of the repair."
    )
    var givenSchedule: PrunePipeline.ScheduleKind?

    @OptionGroup var repairing: RepairOptions

    @Option(
        name: .customLong("evidence-samples"),
        help: ArgumentHelp(
            "Training samples that importance is measured on; without it \(Self.usualEvidenceSamples).",
            valueName: "n"))
    var givenEvidenceSamples: Int?

    private static let usualSeeds = 3
    private static let usualEvidenceSamples = 2000

    var seeds: Int { givenSeeds ?? Self.usualSeeds }
    var granularity: Granularity { givenGranularity ?? .element }
    var scope: any Scope { givenScope?.scope ?? GlobalScope() }
    var schedule: PrunePipeline.ScheduleKind { givenSchedule ?? .oneShot }
    var evidenceSamples: Int { givenEvidenceSamples ?? Self.usualEvidenceSamples }

    /// Whether something was said of it.
    var isGiven: Bool {
        givenSeeds != nil || givenGranularity != nil || givenScope != nil || givenSchedule != nil
            || givenEvidenceSamples != nil || repairing.isGiven
    }

    func validate() throws {
        guard seeds > 0, evidenceSamples > 0 else {
            throw ValidationError("--seeds and --evidence-samples must be positive")
        }
        guard !granularity.fixesShares else {
            throw ValidationError(
                "--granularity \(granularity.rawValue) leaves nothing for --sparsities to say")
        }
    }

    /// - Parameters:
    ///   - models: how many there are, which the seeds take in turn.
    ///   - epochs: of repair.
    func check(models: Int, epochs: Int) throws {
        guard models <= seeds else {
            throw ValidationError("there are \(models) models for --seeds \(seeds): each needs a seed")
        }
        guard epochs >= 0 else { throw ValidationError("--finetune-epochs must not be negative") }
        guard schedule == .oneShot || epochs > 0 else {
            throw ValidationError(
                "--schedule \(schedule.rawValue) prunes in the course of the repair, which needs --finetune-epochs"
            )
        }
        try repairing.check(epochs: epochs)
    }

    /// nil for no epochs.
    func repair(epochs: Int, dataset: Dataset, common: TrialOptions) -> PrunePipeline.Repair? {
        epochs > 0
            ? repairing.repair(epochs: epochs, schedule: schedule, dataset: dataset, common: common) : nil
    }

    func seeds(_ common: TrialOptions) -> [UInt64] { (0..<UInt64(seeds)).map { common.seed &+ $0 } }

    /// For a record.
    func settings(epochs: Int, common: TrialOptions) -> [RunRecord.Setting] {
        var settings: [RunRecord.Setting] = [
            .init("granularity", granularity.rawValue), .init("scope", scope.information.id),
            .init("seeds", "\(seeds), from \(common.seed)"),
            .init("evidence", "\(evidenceSamples) samples"),
        ]
        if epochs > 0 {
            settings.append(.init("schedule", schedule.rawValue))
            settings.append(.init("repair", repairing.text(epochs: epochs)))
        }
        return settings
    }
}
