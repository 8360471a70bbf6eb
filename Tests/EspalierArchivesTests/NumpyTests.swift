import EspalierArchives
import EspalierTensors
import Foundation
import Testing

/// Files that NumPy wrote, and files that it would write.
struct NumpyTests {
    private static let types = DType.allCases.filter { $0 != .bfloat16 }

    @Test(arguments: ["stored.npz", "deflated.npz"], types)
    func everyElementType(file: String, dtype: DType) throws {
        let tensor = try NpzArchive(contentsOf: fixture(file)).tensor(dtype.rawValue)
        #expect(tensor.dtype == dtype)
        #expect(tensor.shape == [2, 3, 4])
        #expect(tensor.scalars(as: Double.self) == (0..<24).map { golden($0, dtype) })
    }

    @Test(
        arguments: [
            ("scalar", [], [1.25]), ("empty", [0, 3], []), ("vector", [5], [-1.25, -1, -0.75, -0.5, -0.25]),
            ("fortran", [2, 3, 4], (0..<24).map { golden($0, .float32) }),
            ("bigEndian", [2, 3, 4], (0..<24).map { golden($0, .float64) }),
            ("/layer/output_0", [2, 2], [-1.25, -1, -0.75, -0.5]),
        ] as [(String, [Int], [Double])])
    func unusualArrays(name: String, extents: [Int], values: [Double]) throws {
        let tensor = try NpzArchive(contentsOf: fixture("stored.npz")).tensor(name)
        #expect(tensor.shape == Shape(extents))
        #expect(tensor.scalars(as: Double.self) == values)
    }

    @Test(arguments: 1...3)
    func everyVersionOfTheFormat(version: Int) throws {
        let tensor = try Npy.read(fixture("version\(version).npy"))
        #expect(tensor.shape == [2, 3])
        #expect(tensor.scalars(as: Double.self) == (0..<6).map { golden($0, .float32) })
    }

    @Test func writesTheBytesThatNumPyWrites() throws {
        let tensor = Tensor(shape: [2, 3], scalars: (0..<6).map { Float(golden($0, .float32)) })
        #expect(Npy.encode(tensor) == (try FileBytes.read(fixture("version1.npy"))))
    }

    @Test(arguments: ["complex.npy", "records.npy", "objects.npy"])
    func refusesTypesWithoutTensors(file: String) throws {
        let path = try fixture(file)
        let error = archiveError(.unsupported) { _ = try Npy.read(path) }
        #expect(error?.place == path)
    }

    @Test func missingArrayNamesThoseThatAreThere() throws {
        let archive = try NpzArchive(contentsOf: fixture("stored.npz"))
        let error = archiveError(.missing) { _ = try archive.tensor("weights") }
        #expect(error?.reason.contains("'vector'") == true)
    }
}

struct RoundTripTests {
    @Test(arguments: [false, true], DType.allCases)
    func archiveKeepsEveryBit(compressed: Bool, dtype: DType) throws {
        let values = (0..<30).map { golden($0, dtype) }
        let tensor = Tensor(shape: [5, 3, 2], scalars: values).converted(to: dtype)
        let bytes = try NpzArchive.encode(
            [("a", tensor), ("b", Tensor(Float(7)))], compressed: compressed, place: "test")
        let archive = try NpzArchive(bytes, place: "test")
        #expect(archive.names == ["a", "b"])
        let result = try archive.tensor("a")
        #expect(result.dtype == (dtype == .bfloat16 ? .float32 : dtype))
        #expect(result.shape == tensor.shape)
        #expect(result.scalars(as: Double.self) == tensor.scalars(as: Double.self))
        #expect(try archive.tensor("b").shape == [])
    }

    @Test func equalArraysGiveEqualFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("x.npz").path
        let arrays = [(name: "x", tensor: Tensor(zeros: [1000]))]
        try NpzArchive.write(arrays, to: path, compressed: true)
        let bytes = try FileBytes.read(path)
        #expect(try bytes == NpzArchive.encode(arrays, compressed: true, place: path))
        #expect(bytes.count < 400, "a thousand zeros must compress")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.npz"])
    }

    @Test func twoArraysOfOneNameAreRefused() {
        let arrays = [(name: "x", tensor: Tensor(Float(1))), (name: "x", tensor: Tensor(Float(2)))]
        _ = archiveError(.malformed) { _ = try NpzArchive.encode(arrays, place: "test") }
    }

    @Test func unwritableFolderIsAnError() {
        _ = archiveError(.unwritable) { try FileBytes.write([1], to: "/nonexistent/folder/x.npz") }
        _ = archiveError(.unreadable) { _ = try FileBytes.read("/nonexistent/x.npz") }
        _ = archiveError(.unreadable) { _ = try FileBytes.read("/") }
    }
}

struct DeflateTests {
    @Test(arguments: [0, 1, 100, 1 << 17, 1 << 20, 3_000_001], [Deflate.Container.raw, .gzip])
    func roundTrip(count: Int, container: Deflate.Container) throws {
        // Half noise, half runs, so that neither side of zlib is idle.
        var random = RandomSource(seed: 3)
        let bytes = (0..<count).map { $0 % 200 < 100 ? UInt8(truncatingIfNeeded: random.next()) : 7 }
        let compressed = try Deflate.compress(bytes[...], container, place: "test")
        #expect(count < 1000 || compressed.count < count * 7 / 10)
        #expect(try Deflate.decompress(compressed[...], container, limit: count, place: "test") == bytes)
        if count > 0 {
            _ = archiveError(.tooLarge) {
                _ = try Deflate.decompress(compressed[...], container, limit: count - 1, place: "test")
            }
            let start = try Deflate.decompress(
                compressed[...], container, limit: count / 2, beyond: .cut, place: "test")
            #expect(start == Array(bytes.prefix(count / 2)))
        }
    }

    @Test func membersOfAGzipFileAreJoined() throws {
        let parts: [[UInt8]] = [[1, 2, 3], [4, 5]]
        let file = try parts.flatMap { try Deflate.compress($0[...], .gzip, place: "test") }
        #expect(try Deflate.decompress(file[...], .gzip, limit: 10, place: "test") == [1, 2, 3, 4, 5])
    }

    @Test func checksumOfTheStandardsExample() {
        #expect(Deflate.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    }
}
