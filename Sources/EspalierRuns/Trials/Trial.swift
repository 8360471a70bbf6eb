/// One independent piece of an experiment, such as one criterion at one sparsity with one seed.
///
/// ```swift
/// let trial = Trial(key: "dense/seed=3", seed: 3) { context in
///     let run = try TrainingRun(..., lane: context.lane)
///     if context.hasCheckpoint { try run.resume(from: context.checkpointPath) }
///     let outcome = try run.train(
///         checkpoints: CheckpointPolicy(path: context.checkpointPath), isCancelled: { context.isCancelled })
///     guard outcome != .cancelled else { throw TrialInterruption() }
///     try context.writeModel { try save(run.trainedGraph(), to: $0) }
///     return record
/// }
/// ```
package struct Trial: Sendable {
    /// Computes the result, on one lane of one thread. It must be a function of the experiment, the trial's
    /// configuration and seed, and the trials that it requires: whether and where it was interrupted must not show.
    package typealias Body = @Sendable (TrialContext) throws -> RunRecord

    /// Names it in its experiment, for good: by its key a later run finds its result.
    package var key: String
    package var seed: UInt64
    /// What the key stands for.
    package var configuration: JSONValue
    /// Keys of the trials whose results it needs; what several need is computed once.
    package var requirements: [String]
    /// An estimate of the memory that it takes at most, by which the runner bounds how many run at a time.
    package var peakBytes: Int
    package var body: Body

    package init(
        key: String, seed: UInt64, configuration: JSONValue = [:], requirements: [String] = [],
        peakBytes: Int = 0,
        body: @escaping Body
    ) {
        self.key = key
        self.seed = seed
        self.configuration = configuration
        self.requirements = requirements
        self.peakBytes = peakBytes
        self.body = body
    }

    var entry: TrialEntry {
        TrialEntry(key: key, seed: seed, configuration: configuration, requirements: requirements)
    }
}

/// What the store keeps of a trial before it is begun.
struct TrialEntry: Sendable, Equatable {
    let key: String
    let seed: UInt64
    let configuration: JSONValue
    let requirements: [String]
}

/// A body throws it when it stopped because it was asked to, its checkpoint written.
package struct TrialInterruption: Error, Sendable, CustomStringConvertible {
    package init() {}

    /// Seen only where nobody asked.
    package var description: String { "it stopped without having been asked to" }
}

/// A body throws it when its checkpoint cannot be gone on from; the trial then begins anew at once.
package struct UnusableCheckpoint: Error, Sendable, CustomStringConvertible {
    package let reason: String
    package var description: String { "the checkpoint cannot be used: \(reason)" }

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Why trials cannot be run as they are given.
package enum TrialError: Error, Sendable, Hashable, CustomStringConvertible {
    case repeatedKey(String)
    /// A trial requires one that is not among those given.
    case unknownRequirement(String, of: String)
    /// Trials require one another in a circle.
    case circle([String])
    /// A trial alone needs more than all may have together.
    case tooLarge(key: String, bytes: Int, limit: Int)
    /// What a required trial wrote is not there, or has changed.
    case missingModel(key: String, reason: String)
    /// A body asks for a trial that it did not say it requires.
    case undeclared(key: String, by: String)

    package var description: String {
        switch self {
        case .repeatedKey(let key): "two trials are called '\(key)'; every trial needs a key of its own"
        case .unknownRequirement(let key, let trial):
            "trial '\(trial)' requires '\(key)', which is not among the trials; add that one"
        case .circle(let keys): "trials require one another in a circle: \(keys.joined(separator: " -> "))"
        case .tooLarge(let key, let bytes, let limit):
            "trial '\(key)' needs about \(bytes >> 20) MiB, and all trials together may take \(limit >> 20) MiB; "
                + "allow more memory, or make the trial smaller"
        case .missingModel(let key, let reason):
            "the model of trial '\(key)' \(reason); delete that trial from the store to have it made again"
        case .undeclared(let key, let trial):
            "trial '\(trial)' uses '\(key)' but does not require it; add it to its requirements"
        }
    }
}
