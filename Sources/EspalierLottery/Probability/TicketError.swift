/// Why the probability of a ticket, or what goes with it, could not be told.
package enum TicketError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A number outside what it can be: its name, what it was, and what it must be.
    case outOfRange(String, value: String, allowed: String)
    /// No value of the quantity gives what was asked for, or every value does.
    case undetermined(String, reason: String)
    /// A simulation that would take too long.
    case tooLarge(String, value: String, limit: String)

    package var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed): "\(name) is \(value); it must be \(allowed)"
        case .undetermined(let name, let reason): "\(name) cannot be told: \(reason)"
        case .tooLarge(let name, let value, let limit):
            "\(name) would be \(value), and at most \(limit) are simulated"
        }
    }
}
