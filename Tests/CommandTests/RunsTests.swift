import Foundation
import Testing

/// The run store from the command line. What the store itself does is EspalierRunsTests'.
struct RunsTests {
    /// A store with `eval`s of two models, each with three seeds.
    private func filledStore() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (model, seed) in [
            ("classifier", 1), ("classifier", 2), ("classifier", 3), ("changed", 1), ("changed", 2),
        ] {
            let result = tool(
                "eval", Fixture.path("\(model).onnx"), "--data", "digits", "--seed", "\(seed)", "--store",
                folder("runs.sqlite"))
            try #require(result.code == 0, "\(result.error)")
        }
        return folder
    }

    private func runs(_ folder: TemporaryFolder, _ arguments: String...) -> ToolResult {
        tool(["runs"] + arguments + ["--store", folder("runs.sqlite")])
    }

    @Test func resultsAreKept() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "eval", Fixture.path("classifier.onnx"), "--data", "digits", "--json", "--store",
            folder("runs.sqlite"))
        #expect(result.code == 0)
        #expect(result.error.contains("run 1 in"))
        // What show prints is what the command printed, to the last digit.
        let shown = try runs(folder, "show", "1", "--json").document()
        #expect(NSDictionary(dictionary: shown) == NSDictionary(dictionary: try result.document()))
        // Nothing is kept unasked.
        #expect(tool("eval", Fixture.path("classifier.onnx"), "--data", "digits").code == 0)
        #expect(try (runs(folder, "list", "--json").document()["records"] as? [Any])?.count == 1)
    }

    @Test func listAndShow() throws {
        let folder = try filledStore()
        let list = runs(folder, "list", "--json")
        let records = try #require(try list.document()["records"] as? [[String: Any]])
        #expect(records.compactMap { $0["id"] as? Int } == [1, 2, 3, 4, 5])
        #expect(records.compactMap { $0["seed"] as? Int } == [1, 2, 3, 1, 2])
        #expect(records.allSatisfy { $0["accuracy"] is Double && $0["command"] as? String == "eval" })
        #expect(runs(folder, "list", "--last", "2").output.split(separator: "\n").count == 4)
        #expect(
            try (runs(folder, "list", "--command", "train", "--json").document()["records"] as? [Any])?
                .isEmpty == true)
        #expect(runs(folder, "show", "2").output.contains("espalier eval"))
        for wrong in ["9", "1-2", "abcd", "?"] {
            let result = runs(folder, "show", wrong)
            #expect(
                result.code == 1 && result.error.split(separator: "\n").count == 1,
                "\(wrong): \(result.error)")
        }
    }

    @Test func compare() throws {
        let folder = try filledStore()
        let result = runs(folder, "compare", "good=1-2", "bad=4-5", "--json")
        let document = try result.document()
        let differences = try #require(document["differences"] as? [[String: Any]])
        let accuracy = try #require(differences.first { $0["name"] as? String == "accuracy" })
        #expect(accuracy["group"] as? String == "bad" && accuracy["pairs"] as? Int == 2)
        // Evaluation knows no chance: all seeds agree, and there is no interval.
        #expect(accuracy["mean"] is Double && accuracy["low"] == nil && accuracy["high"] == nil)
        let table = runs(folder, "compare", "good=1-3", "bad=4-5").output
        #expect(
            table.contains("differences from good") && table.contains("intervals where pairs differ")
                && table.contains("paired over the 2 seeds that both have"))
        #expect(runs(folder, "compare", "1", "--confidence", "1").code == 64)
    }

    @Test func exportAndImport() throws {
        let folder = try filledStore()
        #expect(runs(folder, "export", "-o", folder("runs.jsonl")).code == 0)
        let printed = runs(folder, "export").output
        #expect(try String(contentsOfFile: folder("runs.jsonl"), encoding: .utf8) == printed)
        #expect(printed.split(separator: "\n").count == 5)
        #expect(runs(folder, "export", "2,4").output.split(separator: "\n").count == 2)
        #expect(runs(folder, "export", "17").code == 1)

        let other = ["--store", folder("other.sqlite"), "--json"]
        let first = tool(["runs", "import", folder("runs.jsonl")] + other)
        #expect(try first.number("added") == 5)
        let second = tool(["runs", "import", folder("runs.jsonl")] + other)
        #expect(try second.number("added") == 0 && second.number("known") == 5)
        #expect(tool("runs", "export", "--store", folder("other.sqlite")).output == printed)
        // A command's own document.
        try Data(runs(folder, "show", "3", "--json").output.utf8).write(
            to: URL(filePath: folder("three.json")))
        #expect(try tool(["runs", "import", folder("three.json")] + other).number("known") == 1)
    }

    @Test func delete() throws {
        let folder = try filledStore()
        #expect(runs(folder, "delete", "2,4").output == "deleted record 2\ndeleted record 4\n")
        let left = try #require(try runs(folder, "list", "--json").document()["records"] as? [[String: Any]])
        #expect(left.compactMap { $0["id"] as? Int } == [1, 3, 5])
        #expect(runs(folder, "delete", "2").code == 1)
    }

    /// A store that is of no use is told of before the work.
    @Test func badStoresAreToldFirst() throws {
        let folder = try TemporaryFolder()
        try Data("no store".utf8).write(to: URL(filePath: folder("runs.sqlite")))
        let result = tool(
            "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "1000", "-o", folder("m.onnx"),
            "--store",
            folder("runs.sqlite"))
        #expect(result.code == 1)
        #expect(result.error.contains("left as it is"))
        #expect(runs(try TemporaryFolder(), "list").error.contains("there is no store"))
    }
}
