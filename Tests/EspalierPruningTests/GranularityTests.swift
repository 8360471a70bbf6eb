import EspalierPruning
import Foundation
import Testing

struct GranularityTests {
    @Test(arguments: [
        ("element", Granularity.element), ("channel", .channel), ("2:4", .inputGroups(kept: 2, of: 4)),
        ("1:64", .inputGroups(kept: 1, of: 64)), ("block:4x1", .blocks(outputs: 4, inputs: 1)),
        ("block:64x64", .blocks(outputs: 64, inputs: 64)),
    ])
    func wordsAreReadAndWritten(_ word: String, _ granularity: Granularity) throws {
        #expect(Granularity(rawValue: word) == granularity)
        #expect(granularity.rawValue == word)
        let json = try JSONEncoder().encode([granularity])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(word)\"]")
        #expect(try JSONDecoder().decode([Granularity].self, from: json) == [granularity])
    }

    @Test(arguments: [
        "", "elements", "4:4", "5:4", "0:4", "2:65", "2:4:8", "-1:4", "+2:4", "2 : 4", "2:", ":4", "block",
        "block:",
        "block:4", "block:0x4", "block:4x0", "block:65x1", "block:4x4x4", "block:4X4", "block:-1x4", "2x4",
        "99999999999999999999:4", "block:٤x١", "N:M",
    ])
    func otherWordsAreNot(_ word: String) throws {
        #expect(Granularity(rawValue: word) == nil)
        let json = try JSONEncoder().encode([word])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Granularity].self, from: json) }
    }
}
