/// Commands as one types them into a shell.
enum ShellCommand {
    /// `espalier` with these arguments, quoted where a shell needs it.
    static func text(_ arguments: [String]) -> String {
        (["espalier"] + arguments).map(quoted).joined(separator: " ")
    }

    private static func quoted(_ argument: String) -> String {
        let plain = argument.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,+@%".contains($0) }
        return plain && !argument.isEmpty
            ? argument
            : "'\(argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}
