import EspalierKernels
import EspalierRuns
import Foundation
import Synchronization
import Testing

/// Trials of one process. Killed ones are ``KilledTrialTests``'.
struct TrialTests {
    /// A store in a folder of its own, and a log of what happened.
    private final class Bench: Sendable {
        let folder: TemporaryFolder
        let store: RunStore
        let log = Mutex<[String]>([])
        let stops = Atomic<Bool>(false)

        init() throws {
            folder = try TemporaryFolder()
            store = try RunStore(at: folder("runs.sqlite"))
        }

        func note(_ line: String) { log.withLock { $0.append(line) } }

        /// What was noted since the last time.
        func notes() -> [String] {
            log.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }

        func run(_ trials: [Trial], threads: Int = 1, memoryLimit: Int = 1 << 30) throws -> TrialOutcome {
            try TrialRunner(
                store: store, experiment: experiment, threads: threads, memoryLimit: memoryLimit,
                isCancelled: { self.stops.load(ordering: .relaxed) }
            ).run(trials)
        }

        /// A trial that notes its key and whose accuracy is its seed.
        func trial(_ key: String, seed: UInt64 = 1, requires: [String] = [], bytes: Int = 0) -> Trial {
            Trial(key: key, seed: seed, requirements: requires, peakBytes: bytes) { context in
                self.note(context.key)
                return record(seed: context.seed, accuracy: Double(context.seed))
            }
        }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    @Test func finishedTrialsAreNotRepeated() throws {
        let bench = try Bench()
        let first = try bench.run([bench.trial("a"), bench.trial("b", seed: 2)])
        #expect(bench.notes() == ["a", "b"])
        let second = try bench.run([bench.trial("b", seed: 2), bench.trial("c", seed: 3), bench.trial("a")])
        #expect(bench.notes() == ["c"])
        #expect(second.records.compactMapValues(\.accuracy) == ["a": 1, "b": 2, "c": 3])
        #expect(first.records == second.records.filter { $0.key != "c" })
        #expect(!second.isInterrupted && second.failures.isEmpty && second.blocked.isEmpty)
        // Trials that need no files leave none.
        #expect(
            try bench.store.trials(of: experiment.hash).allSatisfy {
                $0.state == .finished && $0.attempts == 1
            })
        let left = FileManager.default.enumerator(atPath: bench.store.filesFolder)?.allObjects as? [String]
        #expect(left?.count == 1, "\(left ?? [])")
    }

    @Test func otherExperimentsAreRunAnew() throws {
        let bench = try Bench()
        _ = try bench.run([bench.trial("a")])
        var other = experiment
        other.codeVersion = "2"
        _ = try TrialRunner(store: bench.store, experiment: other, threads: 1).run([bench.trial("a")])
        #expect(bench.notes() == ["a", "a"])
        #expect(try bench.store.experiments().map(\.hash) == [experiment.hash, other.hash])
    }

    @Test(arguments: [1, 4])
    func requiredTrialsComeFirstAndOnce(threads: Int) throws {
        let bench = try Bench()
        let dense = Trial(key: "dense", seed: 3) { context in
            bench.note("dense")
            try context.writeModel(named: "m.txt") {
                try Data("weights".utf8).write(to: URL(fileURLWithPath: $0))
            }
            return record(accuracy: 0.5)
        }
        let pruned = (0..<6).map { index in
            Trial(key: "pruned\(index)", seed: 3, requirements: ["dense"]) { context in
                let dense = try context.result(of: "dense")
                let model = try String(contentsOfFile: dense.modelPath(), encoding: .utf8)
                guard model == "weights", context.lane.isCurrent else { throw Failure(description: "no") }
                bench.note(context.key)
                return record(accuracy: dense.record.accuracy)
            }
        }
        let outcome = try bench.run(pruned + [dense], threads: threads)
        #expect(outcome.failures.isEmpty)
        let notes = bench.notes()
        #expect(notes.first == "dense")
        #expect(notes.sorted() == ["dense"] + pruned.map(\.key))
        let stored = try #require(try bench.store.trials(of: experiment.hash).last)
        let path = "\(bench.store.filesFolder)/\(try #require(stored.modelPath))"
        #expect(try SHA256.hexDigest(ofFile: path) == stored.modelSHA256)
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) == ["m.txt"])
    }

    @Test func changedModelsAreNotUsed() throws {
        let bench = try Bench()
        let dense = Trial(key: "dense", seed: 0) { context in
            try context.writeModel { try Data("weights".utf8).write(to: URL(fileURLWithPath: $0)) }
            return record()
        }
        let user = Trial(key: "user", seed: 0, requirements: ["dense"]) { context in
            _ = try context.result(of: "dense").modelPath()
            return record()
        }
        _ = try bench.run([dense])
        let path = try #require(try bench.store.trials(of: experiment.hash).first?.modelPath)
        try Data("weighty".utf8).write(to: URL(fileURLWithPath: "\(bench.store.filesFolder)/\(path)"))
        let outcome = try bench.run([dense, user])
        #expect(outcome.failures["user"]?.contains("not the one that it wrote") == true)
    }

    @Test func failuresStayAloneAndAreRetried() throws {
        let bench = try Bench()
        let gate = Gate()
        let broken = Trial(key: "broken", seed: 1) { _ in
            guard gate.isOpen else { throw Failure(description: "the loss is not a number") }
            return record(accuracy: 1)
        }
        let trials = [
            broken, bench.trial("needs it", requires: ["broken"]),
            bench.trial("needs that", requires: ["needs it"]),
            bench.trial("other"),
        ]
        let first = try bench.run(trials)
        #expect(first.failures == ["broken": "the loss is not a number"])
        #expect(first.blocked == ["needs it", "needs that"])
        #expect(first.records.keys.sorted() == ["other"])
        #expect(!first.isInterrupted)
        let stored = try bench.store.trials(of: experiment.hash)
        #expect(stored.map(\.state) == [.failed, .pending, .pending, .finished])
        #expect(stored.first?.error == "the loss is not a number")

        gate.open()
        let second = try bench.run(trials)
        #expect(second.failures.isEmpty && second.records.count == 4)
        #expect(bench.notes() == ["other", "needs it", "needs that"])
        let again = try #require(try bench.store.trials(of: experiment.hash).first)
        #expect(again.attempts == 2 && again.error == nil)
    }

    @Test func interruptedTrialsGoOn() throws {
        let bench = try Bench()
        // Counts to ten with a checkpoint at each number, and is interrupted at four.
        let counter = Trial(key: "counter", seed: 1) { context in
            var count = 0
            if context.hasCheckpoint {
                count = Int(try String(contentsOfFile: context.checkpointPath, encoding: .utf8)) ?? 0
            }
            while count < 10 {
                count += 1
                bench.note("\(count)")
                try context.report(
                    .init(epoch: count, trainingLoss: Double(count), learningRate: 0, seconds: 0))
                try Data("\(count)".utf8).write(to: URL(fileURLWithPath: context.checkpointPath))
                if count == 4, context.attempt == 1 { bench.stops.store(true, ordering: .relaxed) }
                if context.isCancelled { throw TrialInterruption() }
            }
            return record(accuracy: Double(count))
        }
        let first = try bench.run([counter, bench.trial("later")])
        #expect(first.isInterrupted && first.failures.isEmpty && first.records.isEmpty)
        let stopped = try #require(try bench.store.trials(of: experiment.hash).first)
        #expect(stopped.state == .pending && stopped.checkpointPath != nil)
        bench.stops.store(false, ordering: .relaxed)
        let second = try bench.run([counter, bench.trial("later")])
        #expect(second.records["counter"]?.accuracy == 10)
        #expect(bench.notes() == (1...10).map(String.init) + ["later"])
        let stored = try #require(try bench.store.trials(of: experiment.hash).first)
        #expect(stored.attempts == 2 && stored.checkpointPath == nil && stored.state == .finished)
        #expect(try bench.store.epochs(ofTrial: stored.id).map(\.trainingLoss) == (1...10).map(Double.init))
    }

    @Test func uselessCheckpointsAreSetAside() throws {
        let bench = try Bench()
        let trial = Trial(key: "a", seed: 1) { context in
            bench.note(context.hasCheckpoint ? "goes on" : "begins")
            if context.hasCheckpoint { throw UnusableCheckpoint("it is garbled") }
            guard context.attempt > 1 else {
                try Data("garbage".utf8).write(to: URL(fileURLWithPath: context.checkpointPath))
                throw Failure(description: "power failure")
            }
            return record()
        }
        _ = try bench.run([trial])
        #expect(try bench.run([trial]).records.count == 1)
        #expect(bench.notes() == ["begins", "goes on", "begins"])
    }

    @Test func interruptionUnaskedIsAFailure() throws {
        let bench = try Bench()
        let outcome = try bench.run([Trial(key: "a", seed: 1) { _ in throw TrialInterruption() }])
        #expect(outcome.failures["a"]?.contains("without having been asked") == true)
    }

    /// Eight trials of 3 units in 10: never more than three at a time. Each waits until three run, or all others have ended.
    @Test func memoryIsBounded() throws {
        let bench = try Bench()
        let crowd = Crowd(wanted: 3, total: 8)
        let trials = (0..<8).map { index in
            Trial(key: "\(index)", seed: 0, peakBytes: 3) { _ in
                crowd.enter()
                defer { crowd.leave() }
                return record()
            }
        }
        #expect(try bench.run(trials, threads: 8, memoryLimit: 10).records.count == 8)
        #expect(crowd.most == 3)
    }

    @Test func impossibleTrialsAreRefused() throws {
        let bench = try Bench()
        func refusal(_ trials: [Trial], memoryLimit: Int = 100) -> TrialError? {
            do {
                _ = try bench.run(trials, memoryLimit: memoryLimit)
                return nil
            } catch {
                return error as? TrialError
            }
        }
        #expect(refusal([bench.trial("a"), bench.trial("a")]) == .repeatedKey("a"))
        #expect(refusal([bench.trial("a", requires: ["b"])]) == .unknownRequirement("b", of: "a"))
        #expect(refusal([bench.trial("a", bytes: 101)]) == .tooLarge(key: "a", bytes: 101, limit: 100))
        #expect(
            refusal([
                bench.trial("x", requires: ["a"]), bench.trial("a", requires: ["b"]),
                bench.trial("b", requires: ["a"]),
            ]) == .circle(["a", "b", "a"]))
        #expect(bench.notes().isEmpty)
        #expect(try bench.store.experiments().isEmpty)
    }

    @Test func keysAreStable() throws {
        let bench = try Bench()
        _ = try bench.run([bench.trial("a", seed: 1)])
        do {
            _ = try bench.run([bench.trial("a", seed: 2)])
            Issue.record("a trial was taken for another")
        } catch let error as StoreError {
            #expect(error.code == .conflict)
        }
    }

    @Test func othersMustBeDeclared() throws {
        let bench = try Bench()
        let spy = Trial(key: "spy", seed: 1) { context in
            _ = try context.result(of: "a")
            return record()
        }
        #expect(
            try bench.run([bench.trial("a"), spy]).failures["spy"]?.contains("does not require it") == true)
    }

    /// What stops the store stops the run, and nothing that was recorded is lost.
    @Test func fullDisksStopTheRun() throws {
        let folder = try TemporaryFolder()
        let path = folder("runs.sqlite")
        let pages: Int = try {
            _ = try RunStore(at: path)
            return try bytes(path).count / 4_096
        }()
        var options = RunStore.Options()
        options.maximumPageCount = pages + 30
        let trials = (0..<400).map { seed in
            Trial(key: "\(seed)", seed: seed) { context in record(seed: context.seed, accuracy: 0.5) }
        }
        do {
            let store = try RunStore(at: path, options: options)
            _ = try TrialRunner(store: store, experiment: experiment, threads: 2).run(trials)
            Issue.record("the disk should have been full")
        } catch let error as StoreError {
            #expect(error.code == .diskFull)
        }
        let outcome = try TrialRunner(store: RunStore(at: path), experiment: experiment, threads: 2).run(
            trials)
        #expect(outcome.records.count == 400)
        #expect(outcome.records.allSatisfy { $0.key == $0.value.seed.map(String.init) })
    }
}

/// Opens once.
private final class Gate: Sendable {
    private let state = Atomic<Bool>(false)
    var isOpen: Bool { state.load(ordering: .relaxed) }
    func open() { state.store(true, ordering: .relaxed) }
}

/// How many are in a place at a time; each stays until as many are there as are wanted, or as many as are left.
private final class Crowd: Sendable {
    private let condition = NSCondition()
    private let state = Mutex((now: 0, most: 0, left: 0, isFull: false))
    private let wanted: Int

    init(wanted: Int, total: Int) {
        self.wanted = wanted
        state.withLock { $0.left = total }
    }

    var most: Int { state.withLock { $0.most } }

    func enter() {
        condition.lock()
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
            if state.now >= min(wanted, state.left) { state.isFull = true }
        }
        condition.broadcast()
        while !state.withLock({ $0.isFull }) { condition.wait() }
        condition.unlock()
    }

    func leave() {
        state.withLock { state in
            state.now -= 1
            state.left -= 1
        }
    }
}
