import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRuns
import EspalierTraining
import Foundation

extension TrialContext {
    /// An epoch of a large network takes long: what a kill costs is bounded in steps.
    var checkpoints: CheckpointPolicy { CheckpointPolicy(path: checkpointPath, everySteps: 250) }

    /// Has a trial whose checkpoint is damaged, or of another version of the program, begin anew.
    func withUsableCheckpoint<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch TrainingError.checkpoint(let reason) where hasCheckpoint {
            throw UnusableCheckpoint(reason)
        }
    }

    func tell(_ event: TrainingEvent) throws {
        switch event {
        case .step(let done, let total, _, _): progress(done, of: total)
        case .epoch(let summary): try report(RunRecord.Epoch(summary))
        }
    }
}

/// The record of a trial, from its beginning.
struct TrialRecorder {
    private let start = ContinuousClock.now
    private(set) var record: RunRecord

    init(_ template: RunRecord, _ context: TrialContext) {
        record = template
        record.date = Date().formatted(.iso8601)
        record.seed = context.seed
        record.threads = context.lane.threads
    }

    /// With the time that has passed.
    var finished: RunRecord {
        var record = record
        record.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        return record
    }

    /// With a network measured: on the validation data, and this one time on the test data.
    func record(of graph: Graph, data: PrunePipeline.Data, lane: Lane) throws -> RunRecord {
        func evaluate(_ dataset: Dataset?) throws -> Evaluation? {
            try dataset.map {
                let output = try graph.lossOutput(for: $0, batchSize: 1)
                return try Evaluator(graph, output: output, lane: lane).evaluate($0)
            }
        }
        let validation = try evaluate(data.validation)
        let test = try evaluate(data.test)
        var record = finished
        record.model = .init(name: graph.name)
        record.samples = test?.value.count
        record.accuracy = test?.value.accuracy
        record.loss = test?.value.mean
        record.after = try .init(
            graph, dataset: data.fit, evaluation: test, split: "test", path: nil)
        var figures: [String: Double] = [:]
        figures["validationAccuracy"] = validation?.value.accuracy
        figures["validationLoss"] = validation?.value.mean
        record.figures = figures
        return record
    }
}

extension TrainingRecipe {
    /// For an experiment's configuration: everything but the seed, which is each trial's own, and the threads, of which each
    /// trial has one.
    var described: [String: JSONValue] {
        var identity = identity
        identity["seed"] = nil
        identity["threads"] = nil
        return identity.mapValues { .string($0) }
    }
}

extension PrunePipeline.Repair {
    /// Likewise.
    var described: [String: JSONValue] {
        var described = recipe.described
        described["schedule"] = .string(schedule.rawValue)
        described["pruningShare"] = JSONValue(pruningShare)
        described["distillation"] = .array([
            JSONValue(distillationWeight), JSONValue(distillationTemperature),
        ])
        return described
    }
}

extension Graph {
    var parameterBytes: Int { parameters.reduce(0) { $0 + (constants[$1]?.byteCount ?? 0) } }

    /// About what training and pruning take at most: parameters with their gradients, optimizer states, best values and
    /// evidence, and two batches' activations with their gradients.
    func trainingBytes(_ data: Dataset, batchSize: Int) throws -> Int {
        let resolved = try ResolvedGraph(self, inputShapes: InputBinding(self, data).shapes(batchSize: 1))
        let activations = resolved.facts.filter { constants[$0.key] == nil }
            .reduce(0) { $0 + $1.value.shape.count * 4 }
        return parameterBytes * 40 + activations * 4 * max(64, batchSize)
    }
}
