/// Why a NumPy, zip or gzip file could not be read or written.
package struct ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The file system refused.
        case unreadable, unwritable
        /// The bytes contradict the format or themselves.
        case malformed
        /// A feature of the format that is not read here.
        case unsupported
        /// More than the format, or the caller's limit, can hold.
        case tooLarge
        /// There is no member of that name.
        case missing
    }

    package let code: Code
    /// The file, with the member after a colon if it is an archive's.
    package let place: String
    package let reason: String

    package init(_ code: Code, _ place: String, _ reason: String) {
        self.code = code
        self.place = place
        self.reason = reason
    }

    package var description: String { "\(place): \(reason)" }
}
