import EspalierRuns
import Foundation
import Testing

/// Export, import and deletion.
struct ExchangeTests {
    /// A store with an experiment of a finished, a dependent and a failed trial, and two records.
    private func filledStore(_ folder: TemporaryFolder) throws -> RunStore {
        let store = try RunStore(at: folder("runs.sqlite"))
        struct Failure: Error {}
        let trials = [
            Trial(key: "dense/1", seed: 1, configuration: ["width": 3]) { context in
                try context.report(
                    .init(
                        epoch: 1, trainingLoss: 0.5, validationAccuracy: 0.25, learningRate: 0.1, seconds: 2))
                try context.report(.init(epoch: 2, trainingLoss: .nan, learningRate: 0.1, seconds: 2))
                try context.writeModel { try Data("weights".utf8).write(to: URL(fileURLWithPath: $0)) }
                return record("train", seed: 1, accuracy: 0.875)
            },
            Trial(key: "pruned/1", seed: .max, requirements: ["dense/1"]) { _ in
                record("prune", seed: .max, macs: 7)
            },
            Trial(key: "broken", seed: 3) { _ in throw Failure() },
        ]
        _ = try TrialRunner(store: store, experiment: experiment, threads: 1).run(trials)
        try store.add(record("eval", accuracy: 0.5))
        try store.add(record("eval", seed: 4, accuracy: 0.1 + 0.2))
        return store
    }

    private func lines(_ store: RunStore, _ selections: [String]? = nil) throws -> [String] {
        var lines: [String] = []
        try store.export(try selections?.map { try RunSelection($0, in: store) }) { lines.append($0) }
        return lines
    }

    private func text(_ lines: [String]) -> [UInt8] { Array(lines.joined(separator: "\n").utf8) }

    @Test func storesTravelWhole() throws {
        let folder = try TemporaryFolder()
        let store = try filledStore(folder)
        let exported = try lines(store)
        #expect(exported.count == 5)
        #expect(exported == (try lines(store)))
        let copy = try RunStore(at: folder("copy.sqlite"))
        let summary = try copy.importDocuments(text(exported), name: "runs.jsonl")
        #expect(summary.added == 5 && summary.known == 0 && summary.conflicts.isEmpty)
        #expect(try lines(copy) == exported)
        // The second time, and in another order, nothing happens.
        let again = try copy.importDocuments(text(exported.reversed()), name: "runs.jsonl")
        #expect(again.added == 0 && again.known == 5 && again.conflicts.isEmpty)
        #expect(try lines(copy) == exported)
    }

    /// What a run finds in an imported store it need not do again; the model, which did not come along, is missed by name.
    @Test func importedTrialsCount() throws {
        let folder = try TemporaryFolder()
        let exported = try lines(filledStore(folder))
        let copy = try RunStore(at: folder("copy.sqlite"))
        _ = try copy.importDocuments(text(exported), name: "runs.jsonl")
        let outcome = try TrialRunner(store: copy, experiment: experiment, threads: 1).run([
            Trial(key: "dense/1", seed: 1, configuration: ["width": 3]) { _ in record("never") },
            Trial(key: "new", seed: 5, requirements: ["dense/1"]) { context in
                _ = try context.result(of: "dense/1").modelPath()
                return record()
            },
        ])
        #expect(outcome.records["dense/1"]?.accuracy == 0.875)
        #expect(outcome.failures["new"]?.contains("is not in this store") == true)
    }

    @Test func pendingTrialsAreCompleted() throws {
        let folder = try TemporaryFolder()
        let exported = try lines(filledStore(folder))
        let copy = try RunStore(at: folder("copy.sqlite"))
        struct Failure: Error {}
        _ = try TrialRunner(store: copy, experiment: experiment, threads: 1).run([
            Trial(key: "dense/1", seed: 1, configuration: ["width": 3]) { _ in throw Failure() }
        ])
        let summary = try copy.importDocuments(text(exported), name: "runs.jsonl")
        #expect(summary.completed == 1 && summary.added == 4)
        // The experiment was begun here at another time; all else is what the other store has.
        func parts(_ lines: [String]) throws -> [[JSONValue?]] {
            try lines.map { line in
                let document = try JSONValue(parsing: Array(line.utf8))
                return ["key", "state", "error", "attempts", "finished", "modelSHA256", "epochs", "record"]
                    .map { document[$0] }
            }
        }
        #expect(try parts(lines(copy)) == parts(exported))
    }

    @Test func otherResultsDoNotReplaceOurs() throws {
        let folder = try TemporaryFolder()
        let exported = try lines(filledStore(folder))
        let copy = try RunStore(at: folder("copy.sqlite"))
        _ = try TrialRunner(store: copy, experiment: experiment, threads: 1).run([
            Trial(key: "dense/1", seed: 1, configuration: ["width": 3]) { _ in record("train", accuracy: 0.5)
            },
            Trial(key: "broken", seed: 4) { _ in record() },
        ])
        let summary = try copy.importDocuments(text(exported), name: "runs.jsonl")
        let name = experiment.hash.prefix(8)
        #expect(
            summary.conflicts == [
                "\(name):dense/1: another result",
                "\(name):broken: another seed, configuration or requirements",
            ])
        #expect(try copy.records().first?.record.accuracy == 0.5)
    }

    /// What `--json` prints: over many lines, several in a file, in a list; keys that this version does not know stay.
    @Test func printedDocumentsAreTakenIn() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        let documents = """
            {
              "arguments" : ["eval", "a.onnx"],
              "command" : "eval", "date" : "2026-01-01T00:00:00Z", "espalierVersion" : "9.9.9",
              "schemaVersion" : 1,
              "accuracy" : 0.5, "novelty" : {"deep" : [1.0, 2.50]}
            }
            [{"schemaVersion":1,"command":"train","arguments":[],"espalierVersion":"1","date":"d","seed":18446744073709551615}]
            """
        let summary = try store.importDocuments(Array(documents.utf8), name: "results.json")
        #expect(summary.added == 2)
        let records = try store.records()
        #expect(records.map(\.record.command) == ["eval", "train"])
        #expect(records[1].record.seed == .max)
        #expect(try lines(store)[0].contains(#""novelty":{"deep":[1,2.5]}"#))
        #expect(try store.importDocuments(text(lines(store)), name: "x").known == 2)
    }

    @Test(arguments: [
        (#"{"schemaVersion":1,"arguments":[]}"#, "no 'command'"), ("{", "not JSON"), ("12", "no record"),
        (#"{"command":"eval"}"#, "no 'schemaVersion'"),
        (#"{"schemaVersion":99,"command":"x"}"#, "schema version 99"),
        (#"{"schemaVersion":7,"kind":"trial"}"#, "schema version 7"),
        (#"{"schemaVersion":1,"kind":"trial"}"#, "it has no"),
        ("{\"schemaVersion\":1,\"kind\":\"trial\",\"state\":\"sleeping\"}", "it has no"),
    ])
    func badFilesChangeNothing(line: String, reason: String) throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        let good = try JSONValue(encoding: record()).canonicalText
        do throws(StoreError) {
            _ = try store.importDocuments(Array("\(good)\n\n\(line)\n".utf8), name: "f.jsonl")
            Issue.record("it was taken in")
        } catch {
            #expect(error.code == .malformed)
            #expect(error.place == "f.jsonl:3")
            #expect(error.reason.contains(reason), "\(error)")
        }
        #expect(try store.records().isEmpty)
    }

    /// Lines that contradict themselves, as a hand that edits them may make them.
    @Test func trialsWithoutResultsAreNotFinished() throws {
        let folder = try TemporaryFolder()
        let exported = try lines(filledStore(folder))
        let broken = exported[2].replacing(#""state":"failed""#, with: #""state":"finished""#)
        try #require(broken != exported[2])
        let copy = try RunStore(at: folder("copy.sqlite"))
        #expect(throws: StoreError.self) { try copy.importDocuments(text([exported[0], broken]), name: "x") }
        #expect(try copy.experiments().isEmpty)
    }

    // MARK: Deletion

    private func delete(_ store: RunStore, _ texts: String...) throws -> Deletion {
        try store.delete(texts.map { try RunSelection($0, in: store) })
    }

    @Test func deletionNamesAllThatGoes() throws {
        let folder = try TemporaryFolder()
        let store = try filledStore(folder)
        let name = String(experiment.hash.prefix(8))
        let model = try #require(try store.trials(of: experiment.hash).first?.modelPath)
        #expect(exists("\(store.filesFolder)/\(model)"))

        let some = try delete(store, "\(name):dense/*", "3")
        #expect(some.trials == ["\(name):dense/1"] && some.records == [1, 3] && some.experiments.isEmpty)
        #expect(some.files.count == 1 && !exists(some.files[0]))
        #expect(!exists("\(store.filesFolder)/\(model)"))
        #expect(try store.records().map(\.id) == [2, 4])

        let rest = try delete(store, name)
        #expect(rest.trials == ["\(name):pruned/1", "\(name):broken"] && rest.records == [2])
        #expect(rest.experiments == [experiment.hash])
        #expect(try store.experiments().isEmpty && store.records().map(\.id) == [4])
        #expect(try FileManager.default.subpathsOfDirectory(atPath: store.filesFolder).isEmpty)
        // Numbers are not given again, lest a note of yesterday names another run.
        #expect(try store.add(record("new")) == 5)
    }

    @Test func deletionIsAllOrNothing() throws {
        let folder = try TemporaryFolder()
        let store = try filledStore(folder)
        #expect(throws: StoreError.self) { try delete(store, "4", "99") }
        // The result of a trial goes with the trial.
        #expect(throws: StoreError.self) { try delete(store, "4", "1") }
        #expect(throws: StoreError.self) { try delete(store, "\(experiment.hash.prefix(8)):none/*") }
        #expect(try store.records().count == 4)
    }

    @Test func runningTrialsAreNotDeleted() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        let name = String(experiment.hash.prefix(8))
        let trial = Trial(key: "a", seed: 1) { _ in
            let running = try store.trials(of: experiment.hash)
            #expect(running.map(\.isBeingRun) == [true])
            do {
                _ = try store.delete([RunSelection(name, in: store)])
                Issue.record("a running trial was deleted")
            } catch let error as StoreError {
                #expect(error.code == .inUse)
            }
            return record(accuracy: 1)
        }
        #expect(
            try TrialRunner(store: store, experiment: experiment, threads: 1).run([trial]).records.count == 1)
        #expect(try delete(store, name).experiments.count == 1)
    }

    // MARK: Selection

    @Test func selections() throws {
        let folder = try TemporaryFolder()
        let store = try filledStore(folder)
        let name = String(experiment.hash.prefix(6))
        func selected(_ text: String) throws -> [Int64] {
            try store.records(RunSelection(text, in: store)).map(\.id)
        }
        #expect(try selected("2-3,1,2") == [2, 3, 1])
        #expect(try selected("dense=\(name):dense/*") == [1])
        #expect(try selected(name.uppercased()) == [1, 2])
        #expect(try RunSelection("dense=\(name):seed=1", in: store).name == "dense")
        for wrong in ["", "x", "3-", "5-3", "1,,2", "abc", "zzzz", "1-2-3"] {
            #expect(throws: StoreError.self, "\(wrong)") { try RunSelection(wrong, in: store) }
        }
        #expect(throws: StoreError.self) { try selected("\(name):broken") }
    }

    @Test(arguments: [
        ("a/b", "a/b", true), ("a/b", "a/*", true), ("a/b", "*", true), ("a/b", "*b", true),
        ("a/b", "b", false),
        ("aa", "a*a", true), ("a", "a*a", false), ("abcbd", "a*b*d", true), ("abc", "a*c*b*", false),
        ("", "*", true),
    ])
    func patterns(key: String, pattern: String, matches: Bool) {
        #expect(RunSelection.matches(key, pattern) == matches)
    }
}
