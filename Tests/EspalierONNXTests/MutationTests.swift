import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import Testing

/// Damaged files: whatever bytes are changed, a model either loads, and then can be written, or is refused.
struct MutationTests {
    /// Set ESPALIER_FUZZ_SEED to repeat a run, ESPALIER_FUZZ_COUNT for more mutations of each file.
    private static let seed =
        ProcessInfo.processInfo.environment["ESPALIER_FUZZ_SEED"].flatMap(UInt64.init) ?? 20_240
    private static let count =
        ProcessInfo.processInfo.environment["ESPALIER_FUZZ_COUNT"].flatMap(Int.init) ?? 400

    @Test(arguments: Fixture.models) func damagedFilesLoadOrAreRefused(name: String) throws {
        let original = try Fixture.bytes(name)
        var random = RandomSource(seed: Self.seed).split(name)
        var refused = 0
        for _ in 0..<Self.count {
            let bytes = Self.mutated(original, by: &random)
            do {
                let graph = try ONNXModel.load(bytes: bytes, baseDirectory: Fixture.folder)
                _ = try ONNXModel.serialized(graph)
            } catch {
                refused += 1
            }
        }
        // Neither all nor none: else the mutations would not reach the code behind the decoder.
        #expect(refused > Self.count / 10, "seed \(Self.seed)")
        #expect(refused < Self.count, "seed \(Self.seed)")
    }

    @Test func everyTruncationIsRefusedOrLoads() throws {
        let original = try Fixture.bytes("unknown_domain")
        for length in original.indices {
            do {
                _ = try ONNXModel.load(bytes: Array(original[..<length]))
            } catch { continue }
        }
        let error = try onnxError { _ = try ONNXModel.load(bytes: Array(original[..<(original.count / 2)])) }
        guard case .malformed = error.reason else {
            Issue.record("\(error)")
            return
        }
    }

    /// One to four changes: a bit flipped, a byte set, bytes inserted, removed or copied, the end cut off.
    private static func mutated(_ original: [UInt8], by random: inout RandomSource) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: bytes.indices, using: &random)
            let end = Swift.min(position + Int.random(in: 1...8, using: &random), bytes.count)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            // Values at which varints, lengths and field tags change their meaning.
            case 2: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 3: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
            case 4:
                let inserted = (0..<4).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                bytes.insert(contentsOf: inserted, at: position)
            case 5: bytes.removeSubrange(position..<end)
            case 6: bytes.insert(contentsOf: bytes[position..<end], at: position)
            default: if Bool.random(using: &random) { bytes.removeSubrange(end...) }
            }
        }
        return bytes
    }
}
