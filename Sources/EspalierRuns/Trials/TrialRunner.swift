import EspalierKernels
import Foundation
import Synchronization

/// Runs an experiment's trials, several at a time, and keeps their results in a store.
///
/// Each trial runs on a lane of one thread, so that its result does not depend on what runs beside it. What is finished is
/// not done again; what was interrupted, even by a kill, goes on from its checkpoint; what failed is tried again by the
/// next run. Several processes may run the same experiment in one store: they share the work.
package struct TrialRunner: Sendable {
    package var store: RunStore
    package var experiment: Experiment
    /// How many trials run at a time.
    package var threads: Int
    /// The most memory, in bytes, that trials which run at a time may take together by their estimates.
    package var memoryLimit: Int
    /// Whether to stop: trials save their checkpoints, and the next run goes on.
    package var isCancelled: @Sendable () -> Bool
    /// Hears what happens, from any thread.
    package var observer: @Sendable (TrialEvent) -> Void

    package init(
        store: RunStore, experiment: Experiment, threads: Int, memoryLimit: Int = MemoryBound.suggested,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        observer: @escaping @Sendable (TrialEvent) -> Void = { _ in }
    ) {
        self.store = store
        self.experiment = experiment
        self.threads = threads
        self.memoryLimit = memoryLimit
        self.isCancelled = isCancelled
        self.observer = observer
    }

    /// Runs what is not finished, and returns when nothing is left to run or ``isCancelled``.
    ///
    /// - Throws: ``TrialError`` for trials that cannot be run as they are, ``StoreError``, ``LaneError``. A trial that fails
    ///   throws nothing here: it is in the outcome.
    package func run(_ trials: [Trial]) throws -> TrialOutcome {
        var queue = try TrialQueue(trials, memoryLimit: memoryLimit)
        let stored = try store.enroll(trials, in: experiment)
        for (index, trial) in trials.enumerated() {
            guard let entry = stored[trial.key], entry.state == .finished else { continue }
            queue.found(index)
            // Its process may have been killed right after it had recorded the result.
            if let folder = entry.folder { TrialFolder.tidy("\(store.filesFolder)/\(folder)") }
            observer(.found(key: trial.key))
        }
        let lanes = try (0..<max(1, min(threads, trials.count))).map { _ throws(LaneError) in
            try Lane(threads: 1)
        }
        let dispatcher = TrialDispatcher(queue, lanes: lanes.count, isCancelled: isCancelled)
        let failures = Mutex<[String: String]>([:])
        let worker = TrialWorker(
            trials: trials, stored: stored, store: store, experimentHash: experiment.hash,
            dispatcher: dispatcher,
            observer: { event in
                if case .failed(let key, let message) = event { failures.withLock { $0[key] = message } }
                observer(event)
            })
        for lane in lanes {
            lane.start { worker.run(on: lane) }
        }
        let states = try dispatcher.wait()
        let records = Dictionary(
            try store.records(of: experiment.hash).compactMap { record in
                record.trial.map { ($0.key, record.record) }
            }, uniquingKeysWith: { $1 })
        return TrialOutcome(
            records: records.filter { key, _ in stored[key] != nil && trials.contains { $0.key == key } },
            failures: failures.withLock { $0 },
            blocked: zip(trials, states).filter { $0.1 == .blocked }.map(\.0.key),
            isInterrupted: states.contains { [.waiting, .running, .elsewhere].contains($0) })
    }
}

/// How the trials stand after a run.
package struct TrialOutcome: Sendable {
    /// The results of those that are finished, by key.
    package let records: [String: RunRecord]
    /// Why the others failed, by key.
    package let failures: [String: String]
    /// Those that were not begun because one they require has failed.
    package let blocked: [String]
    /// Whether it stopped before everything was done, because that was asked for.
    package let isInterrupted: Bool
}

/// What a lane does: take a trial, run it, record how it ended.
private struct TrialWorker: Sendable {
    let trials: [Trial]
    let stored: [String: StoredTrial]
    let store: RunStore
    let experimentHash: String
    let dispatcher: TrialDispatcher
    let observer: @Sendable (TrialEvent) -> Void

    func run(on lane: Lane) {
        defer { dispatcher.laneDidEnd() }
        while let index = dispatcher.next() {
            do {
                dispatcher.end(index, as: try run(trials[index], on: lane))
            } catch {
                dispatcher.end(index, as: .waiting)
                dispatcher.stop(error)
            }
        }
    }

    /// - Throws: what concerns more than this trial.
    private func run(_ trial: Trial, on lane: Lane) throws -> TrialQueue.State {
        guard let entry = stored[trial.key] else { return .failed }
        switch try store.claim(entry) {
        case .held: return .elsewhere
        case .finished:
            observer(.found(key: trial.key))
            return .finished
        case .taken(let claim): return try run(trial, claim, on: lane)
        }
    }

    private func run(_ trial: Trial, _ claim: ClaimedTrial, on lane: Lane) throws -> TrialQueue.State {
        observer(.started(key: trial.key, attempt: claim.attempt, continues: claim.continues))
        let context = TrialContext(
            trial: trial, claim: claim, store: store, lane: lane,
            required: try required(by: trial), isCancelled: { dispatcher.isStopping }, observer: observer)
        do {
            let record = try body(trial, claim, context)
            try store.finish(claim, record, model: context.model)
            TrialFolder.tidy(claim.folder)
            observer(.finished(key: trial.key, record))
            return .finished
        } catch is TrialInterruption where dispatcher.isStopping {
            try store.release(claim)
            observer(.interrupted(key: trial.key))
            return .waiting
        } catch let error as StoreError {
            throw error
        } catch {
            let message = "\(error)"
            try store.fail(claim, message)
            observer(.failed(key: trial.key, message: message))
            return .failed
        }
    }

    /// Runs the body, and once more from the start if it cannot go on from its checkpoint.
    private func body(_ trial: Trial, _ claim: ClaimedTrial, _ context: TrialContext) throws -> RunRecord {
        do {
            return try trial.body(context)
        } catch is UnusableCheckpoint where context.hasCheckpoint {
            // Kept for a look at it, under a name that nothing goes on from.
            let target = context.checkpointPath + ".unusable"
            try? FileManager.default.removeItem(atPath: target)
            try FileManager.default.moveItem(atPath: context.checkpointPath, toPath: target)
            try store.restart(claim)
            return try trial.body(context)
        }
    }

    private func required(by trial: Trial) throws -> [String: FinishedTrial] {
        let finished = try store.finishedTrials(trial.requirements, of: experimentHash)
        return try Dictionary(
            uniqueKeysWithValues: trial.requirements.map { key in
                guard let found = finished[key] else {
                    throw StoreError(
                        .missing, store.path,
                        "trial '\(key)' was deleted while the experiment ran; run it again")
                }
                return (key, found)
            })
    }
}
