import ArgumentParser
import EspalierArchives
import EspalierReports
import EspalierRuns
import Foundation

/// Renders saved documents of runs as one page.
struct RenderReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Renders saved results of other commands as one HTML page.",
        discussion: """
            Several results are compared in a table. The page is self-contained: it needs no network.

            EXAMPLE
              espalier prune dense.onnx --data digits --sparsity 0.9 -o sparse.onnx --json > sparse.json
              espalier report sparse.json slim.json -o report.html
            """)

    @Argument(
        help: ArgumentHelp("Documents that commands printed with --json.", valueName: "run.json"),
        completion: .file(extensions: ["json"]))
    var documents: [String]

    @Option(
        name: [.short, .long], help: ArgumentHelp("The page to write.", valueName: "file.html"),
        completion: .file(extensions: ["html"]))
    var output: String

    @Option(help: ArgumentHelp("The page's title.", valueName: "text"))
    var title: String?

    @Flag(name: [.short, .long], help: "Say nothing but errors.")
    var quiet = false

    func run() throws {
        try OutputFile.check([output], areNot: documents)
        let records = try documents.map(Self.record)
        try OutputFile.write(try Report.html(records, title: title), to: output)
        Console(json: false, quiet: quiet).status("wrote \(output)")
    }

    private static func record(_ path: String) throws -> RunRecord {
        let bytes = Data(try FileBytes.read(path))
        do {
            let decoder = Console.decoder()
            let version = try decoder.decode(Version.self, from: bytes).schemaVersion
            guard version == RunRecord.currentSchemaVersion else {
                throw CommandFailure(
                    "\(path): has schema version \(version); this program reads \(RunRecord.currentSchemaVersion)"
                )
            }
            return try decoder.decode(RunRecord.self, from: bytes)
        } catch let error as DecodingError {
            throw CommandFailure(
                "\(path): is not what a command with --report prints with --json (\(Self.text(of: error)))"
            )
        }
    }

    private struct Version: Decodable {
        let schemaVersion: Int
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it has no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
        case .dataCorrupted: "it is not JSON"
        @unknown default: "\(error)"
        }
    }
}
