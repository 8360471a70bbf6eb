package import ArgumentParser
import Foundation
import Synchronization

/// Turns the first Ctrl-C into a request to stop at the next safe point; the second one ends the process.
///
/// The flag is process-wide because signals are.
package enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Whether to stop.
    package static var isRequested: Bool { requested.load(ordering: .relaxed) }

    package static func install() {
        signal(SIGINT) { _ in
            if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(130) }
        }
        // A parent that starts us from a thread with blocked signals, as Dispatch's are, hands the block down.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Stops a command here if that is wanted.
    ///
    /// - Throws: ``exitCode``.
    package static func check() throws {
        if isRequested { throw exitCode }
    }

    /// What a command that was interrupted exits with.
    package static let exitCode = ExitCode(130)
}
