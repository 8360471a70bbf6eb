import ArgumentParser
import EspalierCommands
import Foundation
import Testing

/// The examples in README.md and docs/ stay true: every `espalier` line of a ```sh block parses, and the blocks that
/// follow the comment `<!-- runnable -->` run.
struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardized

    /// A ```sh block of a page.
    struct Block: Sendable, CustomTestStringConvertible {
        let page: String
        let line: Int
        let isRunnable: Bool
        var commands: [Command] = []

        var testDescription: String { "\(page):\(line)" }
    }

    struct Command: Sendable, Equatable {
        /// Without the program's name.
        var arguments: [String]
        /// The file that standard output is redirected to.
        var redirection: String?

        /// From the words of a line. Quotes are known around single words only.
        init(_ words: [String]) {
            let words = words.prefix { !$0.hasPrefix("#") }.map(Self.unquoted)
            arguments = Array(words.prefix { $0 != ">" }.dropFirst())
            redirection = words.firstIndex(of: ">").flatMap { words.dropFirst($0 + 1).first }
        }

        private static func unquoted(_ word: String) -> String {
            word.count > 1 && word.hasPrefix("\"") && word.hasSuffix("\"")
                ? String(word.dropFirst().dropLast()) : word
        }
    }

    /// The pages in the order in which the runnable blocks of one are to be run.
    private static let pages: [String] = {
        let folder = root.appending(path: "docs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return ["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    private static let blocks: [Block] = pages.flatMap { page in
        let text = try? String(contentsOf: root.appending(path: page), encoding: .utf8)
        return blocks(of: text ?? "", page: page)
    }

    /// The blocks of a page, with lines that end in a backslash joined.
    static func blocks(of text: String, page: String) -> [Block] {
        var blocks: [Block] = []
        var isInside = false
        var isMarked = false
        var pending = ""
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                isInside = !isInside && line == "```sh"
                if isInside { blocks.append(Block(page: page, line: number + 1, isRunnable: isMarked)) }
                isMarked = false
            } else if !isInside {
                if !line.isEmpty { isMarked = line == "<!-- runnable -->" }
            } else if line.hasSuffix("\\") {
                pending += line.dropLast()
            } else {
                let words = (pending + line).split(separator: " ").map(String.init)
                pending = ""
                if words.first == "espalier" { blocks[blocks.count - 1].commands.append(Command(words)) }
            }
        }
        return blocks
    }

    @Test func blocksAreFound() {
        let blocks = Self.blocks(
            of: """
                ```sh
                make demo
                espalier eval m.onnx \\
                    --data digits   # a comment
                ```
                <!-- runnable -->

                ```sh
                espalier doctor --json > d.json
                ```
                ```swift
                espalier no
                ```
                """, page: "p")
        #expect(blocks.map(\.isRunnable) == [false, true])
        #expect(blocks.first?.commands.map(\.arguments) == [["eval", "m.onnx", "--data", "digits"]])
        #expect(blocks.last?.commands.map(\.arguments) == [["doctor", "--json"]])
        #expect(blocks.last?.commands.first?.redirection == "d.json")
    }

    @Test func everyCommandHasAPage() {
        for command in EspalierCommand.configuration.subcommands {
            let page = "docs/\(command._commandName).md"
            #expect(Self.pages.contains(page), "there is no \(page)")
            let shown = Self.blocks.filter { $0.page == page }.flatMap(\.commands)
            #expect(shown.contains { $0.arguments.first == command._commandName }, "\(page) has no example")
        }
    }

    @Test(arguments: blocks)
    func examplesParse(_ block: Block) {
        for command in block.commands {
            do {
                _ = try EspalierCommand.parseAsRoot(command.arguments)
            } catch {
                Issue.record("\(block): espalier \(command.arguments.joined(separator: " ")): \(error)")
            }
        }
    }

    /// In one folder per page, so that a block finds what those before it wrote.
    @Test(arguments: Set(blocks.filter(\.isRunnable).map(\.page)).sorted())
    func runnableExamplesRun(_ page: String) throws {
        let folder = try TemporaryFolder()
        for block in Self.blocks where block.page == page && block.isRunnable {
            for command in block.commands {
                let arguments = command.arguments.map { Self.placed($0, in: folder) }
                let result = tool(arguments)
                #expect(result.code == 0, "\(block): \(arguments.joined(separator: " ")): \(result.error)")
                if let file = command.redirection {
                    try Data(result.output.utf8).write(to: URL(filePath: folder(file)))
                }
            }
        }
    }

    /// Names of files become paths in `folder`: tests run side by side and share a working directory.
    private static func placed(_ word: String, in folder: TemporaryFolder) -> String {
        let endings = [".onnx", ".npz", ".npy", ".json", ".jsonl", ".csv", ".html", ".sqlite"]
        return endings.contains { word.hasSuffix($0) } && !word.contains(":") ? folder(word) : word
    }
}
