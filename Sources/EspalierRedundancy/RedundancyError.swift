/// Why redundancy could not be told.
package enum RedundancyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A number outside what it can be: its name, what it was, and what it must be.
    case outOfRange(String, value: String, allowed: String)
    /// The data or the network do not allow the analysis; what, and what to do.
    case unsuitable(String)

    package var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed): "\(name) is \(value); it must be \(allowed)"
        case .unsuitable(let reason): reason
        }
    }
}
