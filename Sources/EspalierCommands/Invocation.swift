import Foundation
import Synchronization

/// One call of the tool: what was typed and where its words go.
///
/// Commands find it in ``current``; tests bind one of their own.
package struct Invocation: Sendable {
    /// What was typed, without the program's name.
    package var arguments: [String]
    /// Takes text for standard output.
    package var output: @Sendable (String) -> Void
    /// Why text for standard output was lost; nil if none was.
    package var outputFailure: @Sendable () -> String?
    /// Takes text for standard error.
    package var error: @Sendable (String) -> Void
    /// Whether standard error is a terminal, on which a line can be overwritten.
    package var errorIsTerminal: Bool
    /// The width of the terminal that standard output is; nil if it is none.
    package var outputColumns: Int?

    package init(
        arguments: [String], output: @escaping @Sendable (String) -> Void,
        error: @escaping @Sendable (String) -> Void,
        outputFailure: @escaping @Sendable () -> String? = { nil }, errorIsTerminal: Bool = false,
        outputColumns: Int? = nil
    ) {
        self.arguments = arguments
        self.output = output
        self.error = error
        self.outputFailure = outputFailure
        self.errorIsTerminal = errorIsTerminal
        self.outputColumns = outputColumns
    }

    @TaskLocal package static var current = Invocation.process

    /// The process's own arguments and streams.
    package static var process: Invocation {
        let output = StandardOutput()
        return Invocation(
            arguments: Array(CommandLine.arguments.dropFirst()), output: { output.put($0) },
            error: { FileHandle.standardError.write(Data($0.utf8)) }, outputFailure: { output.failure },
            errorIsTerminal: isatty(STDERR_FILENO) != 0, outputColumns: terminalColumns)
    }

    private static var terminalColumns: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) != 0, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }
}

/// The process's standard output, which remembers what went wrong: a full disk must not look like success.
private final class StandardOutput: Sendable {
    private let problem = Mutex<String?>(nil)

    var failure: String? { problem.withLock { $0 } }

    /// Writes all of `text`, unless something is lost already.
    func put(_ text: String) {
        problem.withLock { problem in
            var bytes = Array(text.utf8)[...]
            while problem == nil, !bytes.isEmpty {
                let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                if count >= 0 {
                    bytes = bytes.dropFirst(count)
                } else if errno != EINTR {
                    problem = String(cString: strerror(errno))
                }
            }
        }
    }
}
