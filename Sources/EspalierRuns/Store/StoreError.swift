/// Why the run store could not be used, and what to do.
package struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// There is no such store, experiment, trial or record.
        case missing
        /// The disk, or the store's allowance, is full.
        case diskFull
        /// The file or its folder may not be written.
        case notWritable
        /// Another process holds the store.
        case locked
        /// The file is damaged.
        case corrupt
        /// A newer version of the program wrote it.
        case newerSchema
        /// The file is something else.
        case notAStore
        /// What is recorded contradicts what is wanted.
        case conflict
        /// A trial is being run.
        case inUse
        /// A text to be read is not what it should be.
        case malformed
        /// Anything else that the system or SQLite refused.
        case system
    }

    package let code: Code
    /// The file, or the part of the store.
    package let place: String
    package let reason: String

    package init(_ code: Code, _ place: String, _ reason: String) {
        self.code = code
        self.place = place
        self.reason = reason
    }

    package var description: String { "\(place): \(reason)" }
}
