import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// A folder for the length of a test.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "espalier-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a new file with these bytes.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// The error that `body` throws; records an issue if it throws none, or one of another code.
@discardableResult
func dataError(
    _ code: DataError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> DataError? {
    let error = #expect(throws: DataError.self, sourceLocation: sourceLocation, performing: body)
    #expect(error?.code == code, "\(error?.description ?? "")", sourceLocation: sourceLocation)
    return error
}

extension Dataset {
    var classes: [Int32] {
        if case .classes(let classes, _) = labels { classes } else { [] }
    }

    var targetValues: [Float] {
        if case .targets(let targets) = labels { targets.scalars(as: Float.self) } else { [] }
    }

    /// How many samples each class has.
    var histogram: [Int] {
        var counts = [Int](repeating: 0, count: classCount ?? 0)
        for label in classes { counts[Int(label)] += 1 }
        return counts
    }

    /// Samples whose one value is their number, of class number mod `classCount`.
    static func numbered(_ count: Int, classCount: Int = 3) throws -> Dataset {
        try Dataset(
            name: "numbered",
            inputs: [
                Input(name: "x", values: Tensor(shape: [count, 1], scalars: (0..<count).map { Float($0) }))
            ],
            labels: .classes((0..<count).map { Int32($0 % classCount) }, count: classCount))
    }
}
