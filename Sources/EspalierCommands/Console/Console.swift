import Foundation

/// Where one command writes: results to standard output, everything else to standard error.
///
/// With `--json`, standard output gets one JSON document and nothing else; with `--quiet`, standard error only errors.
package struct Console: Sendable {
    let json: Bool
    let quiet: Bool
    let invocation: Invocation

    package init(json: Bool, quiet: Bool, invocation: Invocation = .current) {
        self.json = json
        self.quiet = quiet
        self.invocation = invocation
    }

    /// A result for people; not printed with `--json`.
    func result(_ text: String) {
        if !json { invocation.output(text + "\n") }
    }

    /// A table for people, no wider than the terminal where its first column can give way.
    func result(_ table: Table) {
        result(table.rendered(width: invocation.outputColumns))
    }

    /// A remark on what goes on.
    func status(_ text: String) {
        if !quiet { invocation.error(text + "\n") }
    }

    /// The result as a document; printed with `--json` only.
    func document(_ value: some Encodable) throws {
        guard json else { return }
        invocation.output(try Self.encoded(value) + "\n")
    }

    static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // A network that overflows has such outputs, and that is what must be told.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Reads what ``encoded(_:)`` wrote.
    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }
}
