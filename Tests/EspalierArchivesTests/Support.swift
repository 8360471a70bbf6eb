import EspalierArchives
import EspalierTensors
import Foundation
import Testing

/// The path of a file which NumPy wrote (Tools/goldens/numpy_archives.py).
func fixture(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent(name).path
}

/// What the script puts into element `i` of every array of this type.
func golden(_ i: Int, _ dtype: DType) -> Double {
    switch dtype {
    case .bool: i % 3 == 0 ? 1 : 0
    case .int8, .int16, .int32, .int64: Double(i * 5 - 20)
    case .uint8, .uint16, .uint32, .uint64: Double(i * 7)
    case .float16, .bfloat16, .float32, .float64: Double(i - 5) * 0.25
    }
}

/// The error that `body` throws; records an issue if it throws none.
func archiveError(
    _ code: ArchiveError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> ArchiveError? {
    let error = #expect(throws: ArchiveError.self, sourceLocation: sourceLocation, performing: body)
    #expect(error?.code == code, "\(error?.description ?? "")", sourceLocation: sourceLocation)
    return error
}
