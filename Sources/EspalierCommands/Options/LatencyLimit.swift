import ArgumentParser
import EspalierReports

/// What `--target-latency` asks for.
enum LatencyLimit: ExpressibleByArgument, Equatable, CustomStringConvertible {
    case milliseconds(Double)
    /// Of what the model takes as it is.
    case share(Double)

    init?(argument: String) {
        if argument.hasSuffix("%") {
            guard let percent = Double(argument.dropLast()), percent > 0, percent <= 100 else { return nil }
            self = .share(percent / 100)
        } else {
            guard let milliseconds = Double(argument), milliseconds > 0, milliseconds.isFinite else {
                return nil
            }
            self = .milliseconds(milliseconds)
        }
    }

    var description: String {
        switch self {
        case .milliseconds(let milliseconds): "\(milliseconds)"
        case .share(let share): Format.share(share)
        }
    }

    /// Of what the model takes, which is `before` milliseconds.
    func share(of before: Double) -> Double {
        switch self {
        case .milliseconds(let milliseconds): milliseconds / before
        case .share(let share): share
        }
    }
}
