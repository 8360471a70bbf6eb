import EspalierRuns
import Foundation

/// A program to be killed: an experiment of many small trials with checkpoints, and a log of all that they do.
///
///     TrialRunnerProbe STORE LOG SEEDS STEPS LANES
///
/// A *dense* trial per seed iterates a pseudo-random sequence STEPS times, with a checkpoint after every tenth, and writes a
/// "model"; two more trials per seed go on from its number. Every begin, resume, checkpoint and end is appended to LOG as one
/// line, `PROCESS EVENT TRIAL STEP`, by one write, so that the order of the lines is that of the events, also among
/// processes; and written to standard output, so that whoever started the program knows when to kill it.
@main
enum TrialRunnerProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let seeds = UInt64(arguments[3]), let steps = Int(arguments[4]),
            let lanes = Int(arguments[5])
        else { throw ProbeError.usage }
        let log = Log(path: arguments[2])
        let experiment = Experiment(
            command: "probe", configuration: ["steps": .integer(Int64(steps))], codeVersion: "1",
            dataFingerprint: "none")
        let runner = TrialRunner(
            store: try RunStore(at: arguments[1]), experiment: experiment, threads: lanes,
            memoryLimit: 1 << 20,
            observer: { if case .finished(let key, _) = $0 { log.write("finished \(key)") } })
        let outcome = try runner.run(
            (0..<seeds).flatMap { seed in
                [ToyTrial(key: "dense/\(seed)", seed: seed, steps: steps, requirement: nil, log: log).trial]
                    + ["a", "b"].map { method in
                        ToyTrial(
                            key: "\(method)/\(seed)", seed: seed, steps: steps / 2,
                            requirement: "dense/\(seed)", log: log
                        ).trial
                    }
            })
        log.write("done \(outcome.records.count) \(outcome.failures.count)")
    }
}

enum ProbeError: Error {
    case usage
}

/// Appends lines to a file.
struct Log: Sendable {
    let path: String

    func write(_ event: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        defer { close(descriptor) }
        let bytes = Array("\(getpid()) \(event)\n".utf8)
        for descriptor in [descriptor, STDOUT_FILENO] {
            _ = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        }
    }
}

/// A trial whose result is a number that every step changes.
struct ToyTrial: Sendable {
    let key: String
    let seed: UInt64
    let steps: Int
    let requirement: String?
    let log: Log

    var trial: Trial {
        Trial(
            key: key, seed: seed, requirements: requirement.map { [$0] } ?? [], peakBytes: 1 << 18, body: run)
    }

    private struct State: Codable {
        var step = 0
        var value: UInt64
    }

    private func run(_ context: TrialContext) throws -> RunRecord {
        var state = State(value: seed)
        if context.hasCheckpoint {
            state = try JSONDecoder().decode(
                State.self, from: Data(contentsOf: URL(fileURLWithPath: context.checkpointPath)))
            log.write("resume \(key) \(state.step)")
        } else {
            if let requirement {
                let dense = try context.result(of: requirement)
                let text = try String(contentsOfFile: dense.modelPath(), encoding: .utf8)
                state.value = (UInt64(text) ?? 0) &+ (key.hasPrefix("a") ? 1 : 2)
            }
            log.write("begin \(key)")
        }
        while state.step < steps {
            for _ in 0..<20_000 {
                state.value = state.value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            }
            state.step += 1
            guard state.step.isMultiple(of: 10) else { continue }
            try context.report(
                RunRecord.Epoch(
                    epoch: state.step / 10, trainingLoss: Double(state.value >> 12), learningRate: 0,
                    seconds: 0))
            try JSONEncoder().encode(state).write(
                to: URL(fileURLWithPath: context.checkpointPath), options: .atomic)
            log.write("saved \(key) \(state.step)")
            if context.isCancelled { throw TrialInterruption() }
        }
        try context.writeModel(named: "model.txt") {
            try Data("\(state.value)".utf8).write(to: URL(fileURLWithPath: $0))
        }
        var record = RunRecord(
            command: "probe", arguments: [], espalierVersion: "1", date: "2000-01-01T00:00:00Z")
        record.seed = seed
        record.figures = ["value": Double(state.value >> 12)]
        log.write("end \(key)")
        return record
    }
}
