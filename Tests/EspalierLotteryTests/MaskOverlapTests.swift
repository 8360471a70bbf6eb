import EspalierGraphs
import EspalierLottery
import EspalierTensors
import Testing

struct MaskOverlapTests {
    private func mask(_ count: Int, keeping kept: Int, _ random: inout RandomSource) -> Mask {
        var flags = (0..<count).map { $0 < kept }
        flags.shuffle(using: &random)
        return Mask(shape: [count / 10, 10], kept: flags)
    }

    /// Chance and its deviation are those of masks drawn at random.
    @Test func chanceIsThatOfRandomMasks() throws {
        var random = RandomSource(seed: 11)
        let first = mask(200, keeping: 60, &random)
        let shares = try (0..<4000).map { _ in
            try #require(MaskOverlap(first, mask(200, keeping: 90, &random), inputAxis: nil)).shared
        }
        let overlap = try #require(MaskOverlap(first, mask(200, keeping: 90, &random), inputAxis: nil))
        let mean = shares.reduce(0, +) / Double(shares.count)
        let variance =
            shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count - 1)
        #expect(overlap.chance == 0.45)
        // Of 4000 draws the mean is uncertain by a 63rd of the deviation, the deviation by a 89th.
        #expect(abs(mean - overlap.chance) < 4 * overlap.deviation / 63)
        #expect(abs(variance.squareRoot() / overlap.deviation - 1) < 4.0 / 89)
    }

    @Test func whatIsAlikeIsShared() throws {
        var random = RandomSource(seed: 12)
        let first = mask(200, keeping: 60, &random)
        let same = try #require(MaskOverlap(first, first, inputAxis: 1))
        #expect(same.shared == 1 && same.inputCorrelation == 1)
        let opposite = Mask(shape: first.shape, kept: first.kept.map { !$0 })
        let none = try #require(MaskOverlap(first, opposite, inputAxis: 1))
        #expect(none.shared == 0)
        #expect(abs(try #require(none.inputCorrelation) + 1) < 1e-12)
    }

    /// Rows in another order share less, and tell the same of their inputs.
    @Test func theOrderOfUnitsDoesNotMatterToInputs() throws {
        let kept = (0..<200).map { $0 % 10 < $0 / 20 }
        let first = Mask(shape: [20, 10], kept: kept)
        let reversed = Mask(shape: [20, 10], kept: (0..<200).map { kept[(19 - $0 / 10) * 10 + $0 % 10] })
        let overlap = try #require(MaskOverlap(first, reversed, inputAxis: 1))
        #expect(overlap.shared < 1)
        #expect(abs(try #require(overlap.inputCorrelation) - 1) < 1e-12)
    }

    @Test func whatCannotBeComparedIsNot() {
        let empty = Mask(shape: [4, 5], kept: [Bool](repeating: false, count: 20))
        let full = Mask(keepingAll: [4, 5])
        #expect(MaskOverlap(empty, full, inputAxis: nil) == nil)
        #expect(MaskOverlap(full, Mask(keepingAll: [5, 4]), inputAxis: nil) == nil)
        #expect(MaskOverlap(full, full, inputAxis: 1)?.inputCorrelation == nil)
    }
}
