internal import EspalierArchives

/// Why data could not be found, read or used.
public struct DataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is, to tell cases apart in code.
    public struct Code: Sendable, Hashable {
        private enum Value { case unknownSource, unreadable, malformed, unsupported, inconsistent }
        private let value: Value

        /// The text names no data source that exists.
        public static let unknownSource = Code(value: .unknownSource)
        /// A file or folder is missing, or the system does not let us read it.
        public static let unreadable = Code(value: .unreadable)
        /// A file contradicts its format.
        public static let malformed = Code(value: .malformed)
        /// Something that exists but is not handled here.
        public static let unsupported = Code(value: .unsupported)
        /// Values that do not go together: counts that differ, labels out of range, impossible options.
        public static let inconsistent = Code(value: .inconsistent)
    }

    public let code: Code
    /// The file, line, array or option it is about.
    public let place: String
    /// What is wrong and, where possible, what to do.
    public let reason: String

    package init(_ code: Code, _ place: String, _ reason: String) {
        self.code = code
        self.place = place
        self.reason = reason
    }

    init(_ error: ArchiveError) {
        let code: Code =
            switch error.code {
            case .unreadable, .unwritable: .unreadable
            case .malformed, .tooLarge, .missing: .malformed
            case .unsupported: .unsupported
            }
        self.init(code, error.place, error.reason)
    }

    public var description: String { "\(place): \(reason)" }
}

/// Runs `body`, whose archive errors become data errors.
func translatingArchiveErrors<Result>(_ body: () throws(ArchiveError) -> Result) throws(DataError) -> Result {
    do { return try body() } catch { throw DataError(error) }
}
