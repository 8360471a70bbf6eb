/// What trials have in common, and what decides whether a result may be used again: the same experiment means the same
/// results.
package struct Experiment: Sendable, Hashable, Codable {
    /// The subcommand, or what else asks for the trials.
    package var command: String
    /// Every setting that a result depends on and that a trial's own configuration does not say.
    package var configuration: JSONValue
    /// The version of the program: results of another one are not taken for this one's.
    package var codeVersion: String
    package var dataFingerprint: String

    package init(command: String, configuration: JSONValue, codeVersion: String, dataFingerprint: String) {
        self.command = command
        self.configuration = configuration
        self.codeVersion = codeVersion
        self.dataFingerprint = dataFingerprint
    }

    /// The SHA-256 of the four as canonical JSON.
    package var hash: String {
        let identity: JSONValue = [
            "codeVersion": .string(codeVersion), "command": .string(command), "configuration": configuration,
            "dataFingerprint": .string(dataFingerprint),
        ]
        return identity.contentHash
    }
}

/// An experiment in the store.
package struct StoredExperiment: Sendable, Equatable {
    package let experiment: Experiment
    package let hash: String
    package let created: String
    /// How many trials are in each state.
    package let counts: [TrialState: Int]

    /// What people name it by.
    package var shortHash: String { String(hash.prefix(8)) }
}

/// How far a trial has come.
package enum TrialState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not begun, or interrupted in good order.
    case pending
    /// Being run, or left over by a process that was killed: ``StoredTrial/isBeingRun`` tells.
    case running
    case finished
    case failed
}

/// A trial in the store.
package struct StoredTrial: Sendable, Equatable {
    package let id: Int64
    package let experimentHash: String
    package let key: String
    package let configuration: JSONValue
    package let seed: UInt64
    /// Keys of the trials whose results it needs.
    package let requirements: [String]
    package let state: TrialState
    /// How often it was begun.
    package let attempts: Int
    package let started: String?
    package let finished: String?
    /// Why it failed.
    package let error: String?
    /// The model it wrote, relative to the store's folder of files.
    package let modelPath: String?
    package let modelSHA256: String?
    /// What it goes on from, relative to the store's folder of files.
    package let checkpointPath: String?
    /// Its own folder, relative to the store's folder of files; nil before it was first begun here.
    package let folder: String?
    /// Whether a process is at it at this moment.
    package let isBeingRun: Bool
}
