import Foundation
import Testing

/// A small network trained on the bundled digits, once for all tests.
struct TrainedModel {
    /// What trained it.
    static let arguments = [
        "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "2", "--json", "--quiet",
    ]

    let bytes: Data
    let result: ToolResult

    private static let shared = Result { try TrainedModel() }

    private init() throws {
        let folder = try TemporaryFolder()
        result = tool(Self.arguments + ["-o", folder("dense.onnx")])
        try #require(result.code == 0, "\(result.error)")
        bytes = try Data(contentsOf: URL(filePath: folder("dense.onnx")))
    }

    /// A folder with the model as `dense.onnx` in it.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try shared.get().bytes.write(to: URL(filePath: folder("dense.onnx")))
        return folder
    }

    /// What `train` said.
    static func document() throws -> [String: Any] { try shared.get().result.document() }
}

extension ToolResult {
    /// The document's entries under `key`, by the string that each has under `name`.
    func entries(_ key: String, by name: String = "name") throws -> [String: [String: Any]] {
        let list = try #require(try document()[key] as? [[String: Any]])
        return Dictionary(list.compactMap { entry in (entry[name] as? String).map { ($0, entry) } }) { $1 }
    }

    /// The number at a path of keys in the document.
    func number(_ path: String...) throws -> Double {
        var place: Any? = try document()
        for key in path { place = (place as? [String: Any])?[key] }
        return try #require(place as? Double, "\(path)")
    }
}

/// Nonzero parameters of each layer of a model, biases included.
func nonzero(_ path: String) throws -> [String: Int] {
    try tool("inspect", path, "--json").entries("layers").compactMapValues { $0["nonzero"] as? Int }
}

func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path))
}
