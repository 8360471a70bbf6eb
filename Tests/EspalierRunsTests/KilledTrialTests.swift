import EspalierRuns
import Foundation
import Testing

/// Experiments whose process is killed, by the program `TrialRunnerProbe` that lies beside the tests' own.
struct KilledTrialTests {
    private static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(
            path: "TrialRunnerProbe")
    private static let trialCount = 9

    /// A running probe, with its events as they come.
    private final class Probe {
        private let process = Process()
        private let pipe = Pipe()
        private var pending = Data()

        init(_ folder: TemporaryFolder, lanes: Int) throws {
            process.executableURL = KilledTrialTests.program
            process.arguments = [folder("runs.sqlite"), folder("log"), "3", "60", "\(lanes)"]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = pipe
            try process.run()
        }

        /// The next event; nil at the program's end.
        func next() -> String? {
            while true {
                if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: pending[pending.startIndex..<end], as: UTF8.self)
                    pending = pending.suffix(from: end).dropFirst()
                    return line
                }
                let part = pipe.fileHandleForReading.availableData
                if part.isEmpty { return nil }
                pending.append(part)
            }
        }

        func kill() {
            // A number of a process that has ended may be another's by now.
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        }

        /// Waits for the end.
        func end() -> Int32 {
            while next() != nil {}
            process.waitUntilExit()
            return process.terminationStatus
        }
    }

    /// A line of the log.
    private struct Event {
        let process: String
        let name: String
        let trial: String
        let step: Int

        init(_ line: Substring) {
            let words = line.split(separator: " ").map(String.init)
            process = words.first ?? ""
            name = words.count > 1 ? words[1] : ""
            trial = words.count > 2 ? words[2] : ""
            step = words.count > 3 ? Int(words[3]) ?? 0 : 0
        }
    }

    private func events(_ folder: TemporaryFolder) throws -> [Event] {
        try String(contentsOfFile: folder("log"), encoding: .utf8).split(separator: "\n").map(Event.init)
    }

    /// Everything about the results that must not depend on how they came about.
    private func results(_ folder: TemporaryFolder) throws -> [String: String] {
        let store = try RunStore(at: folder("runs.sqlite"))
        let hash = try #require(try store.experiments().first?.hash)
        let trials = try store.trials(of: hash)
        let records = try store.records(of: hash)
        return try Dictionary(
            uniqueKeysWithValues: trials.map { trial in
                let record = records.first { $0.trial?.key == trial.key }
                let epochs = try store.epochs(ofTrial: trial.id)
                let model = try String(
                    contentsOfFile: "\(store.filesFolder)/\(try #require(trial.modelPath))", encoding: .utf8)
                return (
                    trial.key,
                    "\(trial.state) \(record?.document.canonicalText ?? "") \(trial.modelSHA256 ?? "") \(model) \(epochs)"
                )
            })
    }

    private func undisturbed() throws -> [String: String] {
        let folder = try TemporaryFolder()
        #expect(try Probe(folder, lanes: 1).end() == 0)
        return try results(folder)
    }

    /// Killed again and again at moments that the seed gives, then run to the end.
    @Test(arguments: [(UInt64(1), 1), (UInt64(2), 2), (UInt64(3), 3)])
    func killedExperimentsEndAsOthers(seed: UInt64, lanes: Int) throws {
        var generator = SplitMix(state: seed)
        let folder = try TemporaryFolder()
        var kills = 0
        while kills < 40 {
            let probe = try Probe(folder, lanes: lanes)
            let moment = Int.random(in: 1...8, using: &generator)
            var seen = 0
            while seen < moment, probe.next() != nil { seen += 1 }
            if seen < moment { break }
            probe.kill()
            _ = probe.end()
            kills += 1
        }
        #expect(try Probe(folder, lanes: lanes).end() == 0)
        #expect(kills > 5)
        #expect(try results(folder) == undisturbed())

        let events = try events(folder)
        var saved: [String: Int] = [:]
        var finished: Set<String> = []
        for event in events where !event.trial.isEmpty && event.name != "done" {
            #expect(!finished.contains(event.trial), "\(event.trial) was repeated")
            switch event.name {
            case "begin": #expect(saved[event.trial] == nil, "\(event.trial) began anew")
            // It may have saved a step more than it could tell of.
            case "resume": #expect(event.step >= saved[event.trial] ?? 0, "\(event.trial) lost steps")
            case "saved":
                // No step is saved twice, but for the last whose line was not written any more.
                #expect(event.step > saved[event.trial] ?? 0, "\(event.trial) repeated steps")
                saved[event.trial] = event.step
            case "finished": finished.insert(event.trial)
            default: break
            }
        }
        #expect(events.contains { $0.name == "resume" && $0.step > 0 }, "nothing was ever gone on from")
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder("runs.sqlite.files"))
        #expect(
            left.filter { $0.hasSuffix("lock") || $0.contains("checkpoint") || $0.contains("partial") }
                .isEmpty)
    }

    /// Three processes share one store, and one of them is killed half way.
    @Test func processesShareTheWork() throws {
        let folder = try TemporaryFolder()
        let probes = try (0..<3).map { _ in try Probe(folder, lanes: 2) }
        for _ in 0..<6 { _ = probes[0].next() }
        probes[0].kill()
        #expect(probes.dropFirst().map { $0.end() } == [0, 0])
        _ = probes[0].end()
        #expect(try results(folder) == undisturbed())
        let events = try events(folder)
        for trial in Set(events.map(\.trial)) where trial.contains("/") {
            let own = events.filter { $0.trial == trial }
            // Ran in one process; or in the killed one and then in one other, which began anew only where nothing was saved.
            let processes = own.map(\.process)
            #expect(Set(processes).count <= 2, "\(processes)")
            #expect(own.filter { $0.name == "begin" }.count <= Set(processes).count)
            if Set(processes).count == 2 {
                let change = processes.firstIndex { $0 != processes[0] } ?? 0
                #expect(Set(processes[change...]).count == 1, "\(trial) ran in two processes at once")
            }
            #expect(own.filter { $0.name == "finished" }.count <= 1)
        }
        let done = events.filter { $0.name == "done" }
        // The first had hardly time to end before it was killed.
        #expect(done.count >= 2 && done.allSatisfy { $0.trial == "\(Self.trialCount)" })
    }
}
