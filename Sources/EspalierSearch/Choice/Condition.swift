/// An upper bound on an objective.
package struct Condition: Hashable, Sendable, CustomStringConvertible {
    package let objective: Objective
    /// In the objective's unit.
    package let bound: Double

    /// - Precondition: `bound` is finite.
    package init(_ objective: Objective, atMost bound: Double) {
        precondition(bound.isFinite)
        self.objective = objective
        self.bound = bound
    }

    /// But for rounding: an accuracy drop, as a difference of two shares of samples, is not exact.
    func isMet(by value: Double) -> Bool { value <= bound + 1e-9 * max(1, abs(bound)) }

    package var description: String { "\(objective.name)<=\(objective.unit.text(bound))" }

    /// Reads conditions such as `accuracy-drop<=0.5%, latency<=2ms, macs<=0.5`: objective, `<=`, number and unit, with commas
    /// between conditions and blanks wherever they help.
    ///
    /// - Parameter known: what conditions can be put on.
    /// - Throws: ``ConditionError`` at the first thing that is not so, and for a second condition on one objective.
    package static func parse(
        _ text: String, known: [Objective] = Objective.known
    ) throws(ConditionError) -> [Condition] {
        var reader = ConditionReader(text, known: known)
        var conditions: [Condition] = []
        repeat {
            let (condition, position) = try reader.condition()
            guard !conditions.contains(where: { $0.objective == condition.objective }) else {
                throw reader.error(.repeated(condition.objective.name), at: position)
            }
            conditions.append(condition)
        } while reader.comma()
        return conditions
    }
}

/// Why a text is no list of conditions, and where.
package struct ConditionError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Problem: Sendable, Equatable {
        case unknownObjective(String, known: [String])
        /// Something else than `<=` behind an objective: what.
        case comparison(String)
        /// No finite decimal number, but this.
        case number(String)
        /// A unit that the objective is not measured in, or none where there must be one.
        case unit(String, of: String, allowed: [String])
        case repeated(String)
    }

    package let problem: Problem
    package let text: String
    /// The character of `text` where it is, counted from 1.
    package let position: Int

    package var description: String {
        "'\(text)', character \(position): \(explanation)"
    }

    private var explanation: String {
        switch problem {
        case .unknownObjective(let name, let known):
            (name.isEmpty ? "an objective is missing" : "there is no objective '\(name)'")
                + "; known are \(known.joined(separator: ", "))"
        case .comparison(let found):
            "all objectives are minimised, so a condition is written with <=" + instead(found)
        case .number(let found): "a number is expected" + instead(found)
        case .unit(let found, let objective, let allowed):
            (found.isEmpty ? "the unit is missing" : "'\(found)' is no unit")
                + "; \(objective) takes \(allowed.joined(separator: ", "))"
        case .repeated(let name): "a second condition on \(name)"
        }
    }

    private func instead(_ found: String) -> String { found.isEmpty ? ", here it ends" : ", not '\(found)'" }
}
