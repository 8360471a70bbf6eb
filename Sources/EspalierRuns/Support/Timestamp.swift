package import Foundation

/// Times as the store keeps them: ISO 8601 in UTC with milliseconds, so that texts sort as the times do.
package enum Timestamp {
    package static func now() -> String { text(Date()) }

    package static func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
