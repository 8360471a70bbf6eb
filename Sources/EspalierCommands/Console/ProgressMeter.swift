import EspalierReports
import Synchronization

/// Shows how far long work has come: a bar with rate and remaining time on a terminal, a line every few seconds
/// elsewhere.
package final class ProgressMeter: Sendable {
    private struct State {
        var started = ContinuousClock.now
        var lastShown: ContinuousClock.Instant?
        /// What was there already: it took no time, and tells nothing of the rest.
        var found = 0
        var label = ""
        var barIsShown = false
    }

    private static let barWidth = 24

    private let console: Console
    private let unit: String
    private let interval: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - unit: what is counted, in the plural.
    ///   - interval: the least time between two reports; nil for what suits where they go.
    package init(unit: String, console: Console, interval: Duration? = nil) {
        self.unit = unit
        self.console = console
        self.interval = interval ?? (console.invocation.errorIsTerminal ? .milliseconds(100) : .seconds(5))
    }

    private var isTerminal: Bool { console.invocation.errorIsTerminal }

    /// Starts counting anew under another name.
    package func begin(_ label: String, at started: ContinuousClock.Instant = .now) {
        state.withLock { state in
            let barIsShown = state.barIsShown
            state = State(started: started, label: label, barIsShown: barIsShown)
        }
    }

    /// Leaves out of the rate what did not have to be done.
    package func found(_ count: Int) {
        state.withLock { $0.found += count }
    }

    /// Shows the state of things, if the last time is long enough ago. Cheap to call often.
    ///
    /// - Parameter detail: asked for only when it is shown.
    package func update(_ done: Int, of total: Int, detail: @autoclosure () -> String = "") {
        guard !console.quiet else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            // The first report comes when there is something to extrapolate from.
            guard now - (state.lastShown ?? state.started) >= interval else { return }
            state.lastShown = now
            let seconds = (now - state.started).inSeconds
            let rate = seconds > 0 ? Double(max(done - state.found, 0)) / seconds : 0
            let remaining = rate > 0 ? Format.duration(seconds: Double(total - done) / rate) : "?"
            let detail = detail()
            let numbers =
                "\(Format.count(done))/\(Format.count(total)) \(unit), \(Self.text(rate)), \(remaining) left"
                + (detail.isEmpty ? "" : ", \(detail)")
            if isTerminal {
                let filled = total > 0 ? Self.barWidth * min(done, total) / total : 0
                let bar =
                    String(repeating: "█", count: filled)
                    + String(repeating: "░", count: Self.barWidth - filled)
                console.invocation.error("\r\u{1B}[2K\(state.label) \(bar) \(numbers)")
                state.barIsShown = true
            } else {
                console.invocation.error("\(state.label): \(numbers)\n")
            }
        }
    }

    /// Removes the bar and writes a line in its place.
    package func finish(_ line: String? = nil) {
        guard !console.quiet else { return }
        state.withLock { state in
            if state.barIsShown { console.invocation.error("\r\u{1B}[2K") }
            state.barIsShown = false
            if let line { console.invocation.error(line + "\n") }
        }
    }

    /// By the second, or by the hour if that is a small part of one.
    private static func text(_ rate: Double) -> String {
        if rate >= 100 { return Format.count(Int(rate)) + "/s" }
        return rate >= 0.1 || rate == 0 ? Format.fixed(rate, 1) + "/s" : Format.fixed(3600 * rate, 1) + "/h"
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
