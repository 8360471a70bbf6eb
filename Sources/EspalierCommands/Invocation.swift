import Foundation

/// One call of the tool: what was typed and where its words go.
///
/// Commands find it in ``current``; tests bind one of their own.
package struct Invocation: Sendable {
    /// What was typed, without the program's name.
    package var arguments: [String]
    /// Takes text for standard output.
    package var output: @Sendable (String) -> Void
    /// Takes text for standard error.
    package var error: @Sendable (String) -> Void
    /// Whether standard error is a terminal, on which a line can be overwritten.
    package var errorIsTerminal: Bool
    /// The width of the terminal that standard output is; nil if it is none.
    package var outputColumns: Int?

    package init(
        arguments: [String], output: @escaping @Sendable (String) -> Void,
        error: @escaping @Sendable (String) -> Void, errorIsTerminal: Bool = false, outputColumns: Int? = nil
    ) {
        self.arguments = arguments
        self.output = output
        self.error = error
        self.errorIsTerminal = errorIsTerminal
        self.outputColumns = outputColumns
    }

    @TaskLocal package static var current = Invocation.process

    /// The process's own arguments and streams.
    package static var process: Invocation {
        Invocation(
            arguments: Array(CommandLine.arguments.dropFirst()),
            output: { print($0, terminator: "") },
            error: { FileHandle.standardError.write(Data($0.utf8)) },
            errorIsTerminal: isatty(STDERR_FILENO) != 0, outputColumns: terminalColumns)
    }

    private static var terminalColumns: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) != 0, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }
}
