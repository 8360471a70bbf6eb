/// Why something cannot be searched, compared or chosen.
package enum SearchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An objective that no order holds for: its position in the point, and what it was.
    case notComparable(objective: Int, value: Double)
    /// Points of one set with different numbers of objectives.
    case objectiveCount(found: Int, expected: Int, point: Int)
    /// A number outside what it can be: its name, what it was, and what it must be.
    case outOfRange(String, value: String, allowed: String)
    /// A condition on something that the points do not have.
    case notMeasured(String, measured: [String])

    package var description: String {
        switch self {
        case .notComparable(let objective, let value):
            "objective \(objective) of a point is \(value); it must be a number or +infinity"
        case .objectiveCount(let found, let expected, let point):
            "point \(point) has \(found) objectives where \(expected) are expected"
        case .outOfRange(let name, let value, let allowed): "\(name) is \(value); it must be \(allowed)"
        case .notMeasured(let name, let measured):
            "there is a condition on \(name), which was not measured; measured are \(measured.joined(separator: ", "))"
        }
    }
}
