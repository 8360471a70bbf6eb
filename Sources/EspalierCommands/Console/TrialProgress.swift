import EspalierReports
import EspalierRuns
import Synchronization

extension TrialOptions {
    /// Runs an experiment's trials, as many at a time as there are threads, and shows how far they have come.
    ///
    /// - Throws: the interruption's exit code; what ``TrialRunner/run(_:)`` throws.
    func run(_ trials: [Trial], of experiment: Experiment, in store: RunStore) throws -> TrialOutcome {
        let progress = TrialProgress(console: console, total: trials.count)
        let outcome = try TrialRunner(
            store: store, experiment: experiment, threads: threads,
            isCancelled: { Interruption.isRequested }, observer: { progress.show($0) }
        ).run(trials)
        progress.finish()
        guard !outcome.isInterrupted else { throw Interruption.exitCode }
        return outcome
    }
}

/// Shows how far an experiment's trials have come; a line for each that fails.
struct TrialProgress: Sendable {
    private let console: Console
    private let meter: ProgressMeter
    private let total: Int
    private let counts = Counts()

    private final class Counts: Sendable {
        let finished = Mutex(0)
    }

    init(console: Console, total: Int) {
        self.console = console
        self.total = total
        meter = ProgressMeter(unit: "runs", console: console)
        meter.begin("runs")
    }

    func show(_ event: TrialEvent) {
        switch event {
        case .found:
            meter.found(1)
            _ = finished(1)
        case .finished(let key, let record):
            let accuracy = record.accuracy.map { ", \(Format.percent($0, digits: 2))" } ?? ""
            meter.update(finished(1), of: total, detail: key + accuracy)
        case .failed(let key, let message):
            meter.finish("\(key) failed: \(message)")
            _ = finished(1)
        case .interrupted(let key): meter.finish("\(key) is interrupted; the same command goes on with it")
        case .started, .progress, .epoch: meter.update(finished(0), of: total)
        }
    }

    func finish() { meter.finish() }

    private func finished(_ more: Int) -> Int {
        counts.finished.withLock { count in
            count += more
            return count
        }
    }
}
