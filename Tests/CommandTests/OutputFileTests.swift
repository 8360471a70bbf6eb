import Foundation
import Testing

/// What commands write costs nothing that they read, and nothing else that they write.
struct OutputFileTests {
    private static let inputs = [
        "a.onnx", "a.onnx.data", "b.onnx", "b.onnx_data", "x.npz", "t.csv", "p.json", "r.json",
    ]
    private static let outputs = ["o.onnx", "o.evidence.npz", "o.html", "s.sqlite"]

    /// A folder with files that nothing can be read from: whatever is refused is refused before.
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in Self.inputs { try Data(name.utf8).write(to: URL(filePath: folder(name))) }
        return folder
    }

    /// Runs a command line whose files are those of `folder`.
    private func run(_ line: String, in folder: TemporaryFolder) -> ToolResult {
        let words = line.split(separator: " ").map { String($0) }
        let placed = words.map { word -> String in
            let names = Self.inputs + Self.outputs
            guard let name = names.first(where: { word == $0 || word.hasSuffix(":" + $0) }) else {
                return word
            }
            return String(word.dropLast(name.count)) + folder(name)
        }
        return tool(placed)
    }

    @Test(arguments: [
        "train --arch tiny-cnn --data digits --widths-of a.onnx -o o.onnx --report a.onnx",
        "train --arch tiny-cnn --data npz:x.npz -o o.onnx --checkpoint x.npz",
        "finetune a.onnx --data digits --teacher b.onnx -o b.onnx",
        "finetune a.onnx --data digits -o o.onnx --checkpoint a.onnx",
        "prune a.onnx --sparsity 0.5 --dry-run --plan a.onnx",
        "prune a.onnx --plan p.json -o p.json",
        "prune a.onnx --allocation p.json -o o.onnx --report p.json",
        "prune a.onnx --data digits --sparsity 0.5 -o o.onnx --checkpoint a.onnx",
        "run a.onnx --input x.npz -o x.npz",
        "run a.onnx --input x.npz -o a.onnx",
        "score a.onnx -o a.onnx",
        "eval a.onnx --data csv:t.csv --report t.csv",
        "eval a.onnx --data digits --store s.sqlite --report s.sqlite",
        "sensitivity a.onnx --data digits --max-macs 0.5 --allocation-output a.onnx",
        "redundancy a.onnx --data digits --merge -o a.onnx",
        "compare a.onnx b.onnx --data digits --criteria magnitude --sparsities 0.5 --csv b.onnx",
        "pareto a.onnx b.onnx --data digits --choose macs<=0.5 -o b.onnx",
        "robustness a.onnx --data digits --report a.onnx",
        "lottery a.onnx --data digits --report a.onnx",
        "bench a.onnx b.onnx --report b.onnx",
        "eval a.onnx --data digits --report a.onnx.data",
        "finetune a.onnx --data digits --teacher b.onnx -o o.onnx --checkpoint b.onnx_data",
        "run a.onnx --input x.npz -o a.onnx.data",
        "report r.json -o r.json",
    ])
    func inputsAreNeverOverwritten(line: String) throws {
        let folder = try folder()
        let result = run(line, in: folder)
        #expect(result.code == 1, "\(result.error)")
        #expect(result.error.contains("the input is never overwritten"), "\(result.error)")
        for name in Self.inputs { #expect(try bytes(folder(name)) == Data(name.utf8)) }
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == Set(Self.inputs))
    }

    @Test(arguments: [
        "train --arch tiny-cnn --data digits -o o.onnx --checkpoint o.onnx",
        "train --arch tiny-cnn --data digits -o o.onnx --report o.onnx",
        "train --arch tiny-cnn --data digits -o o.onnx --collect movement --checkpoint o.evidence.npz",
        "prune a.onnx --sparsity 0.5 --dry-run --plan o.html --report o.html",
        "compare a.onnx --data digits --criteria magnitude --sparsities 0.5 --csv o.html --report o.html",
        "theory ticket-frequency -o o.html --report o.html",
    ])
    func nothingIsWrittenTwice(line: String) throws {
        let result = run(line, in: try folder())
        #expect(result.code == 1, "\(result.error)")
        #expect(result.error.contains("would be written twice"), "\(result.error)")
    }

    @Test(
        arguments: ["idx", "fashion-mnist"],
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte"])
    func filesOfADataFolderAreNeverOverwritten(kind: String, name: String) throws {
        let folder = try folder()
        let file = folder(name)
        try Data(name.utf8).write(to: URL(filePath: file))
        let arguments = ["eval", folder("a.onnx"), "--data", "\(kind):\(folder.path)", "--report"]
        let result = tool(arguments + [file])
        #expect(result.code == 1)
        #expect(result.error.contains("the input is never overwritten"), "\(result.error)")
        #expect(try bytes(file) == Data(name.utf8))
        // What else is in the folder is no input: here the model is what fails.
        let beside = tool(arguments + [folder("o.html")])
        #expect(beside.code == 1 && !beside.error.contains("never overwritten"), "\(beside.error)")
    }

    @Test func otherNamesOfAFileAreKnown() throws {
        let folder = try folder()
        let model = folder("a.onnx")
        try FileManager.default.createSymbolicLink(atPath: folder("l.onnx"), withDestinationPath: model)
        try FileManager.default.createSymbolicLink(atPath: folder("link"), withDestinationPath: folder.path)
        for name in ["l.onnx", "link/a.onnx", "../\(folder.name)/a.onnx"] {
            let result = tool("score", model, "-o", folder(name))
            #expect(result.error.contains("never overwritten"), "\(name): \(result.error)")
        }
        // Neither is there yet.
        let twice = tool("score", model, "-o", folder("o"), "--report", folder("link/o"))
        #expect(twice.error.contains("written twice"), "\(twice.error)")
    }

    @Test func storesAreNotExportedOver() throws {
        let folder = try TemporaryFolder()
        let store = folder("runs.sqlite")
        let kept = tool(
            "eval", Fixture.path("classifier.onnx"), "--data", "digits", "--store", store, "--quiet")
        try #require(kept.code == 0, "\(kept.error)")
        let result = tool("runs", "export", "--store", store, "-o", store)
        #expect(result.code == 1 && result.error.contains("never overwritten"), "\(result.error)")
        #expect(tool("runs", "show", "1", "--store", store).code == 0)
    }

    /// Before the work, also of what is written in the course of it.
    @Test(arguments: [
        "prune a.onnx --sparsity 0.5 --dry-run --plan /nowhere/p.json",
        "prune a.onnx --data digits --sparsity 0.5 -o o.onnx --checkpoint /nowhere/run.npz",
        "train --arch tiny-cnn --data digits -o o.onnx --checkpoint /nowhere/run.npz",
        "report r.json -o /nowhere/r.html",
    ])
    func missingFoldersAreToldFirst(line: String) throws {
        let result = run(line, in: try folder())
        #expect(result.code == 1)
        #expect(result.error.contains("no folder '/nowhere'"), "\(result.error)")
    }

    /// The administrator may write everywhere, so this says something only for others.
    @Test(.enabled(if: geteuid() != 0, "run as a user who may not write everywhere"))
    func closedFoldersAreToldFirst() throws {
        let folder = try folder()
        func permit(_ mode: Int) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path)
        }
        try permit(0o555)
        for name in ["new.npz", "x.npz"] {
            let result = tool("score", folder("a.onnx"), "-o", folder(name))
            #expect(result.code == 1 && result.error.contains("cannot be written to"), "\(result.error)")
        }
        try permit(0o755)
    }
}
