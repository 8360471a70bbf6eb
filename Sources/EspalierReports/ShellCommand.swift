/// Commands as one types them into a shell.
enum ShellCommand {
    /// `espalier` with these arguments, quoted where a shell needs it.
    static func text(_ arguments: [String]) -> String {
        (["espalier"] + arguments).map(quoted).joined(separator: " ")
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = argument.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || "0123456789-_./:=,+@%".unicodeScalars.contains(scalar))
        }
        return isPlain && !argument.isEmpty ? argument : "'\(argument.replacingScalar("'", with: "'\\''"))'"
    }
}
