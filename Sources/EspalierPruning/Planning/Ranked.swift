/// A position with its score in one word: ordered by score, then by position. Sorting millions of them is
/// sorting integers.
struct Ranked: Comparable {
    private let word: UInt64

    /// - Precondition: `score` is a number, `position` fits 32 bits.
    init(score: Float, position: Int) {
        // Negative zero and zero are one score.
        let bits = (score + 0).bitPattern
        let ordered = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        word = UInt64(ordered) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
    }

    var position: Int { Int(UInt32(truncatingIfNeeded: word)) }

    var score: Float {
        let ordered = UInt32(truncatingIfNeeded: word >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & ~(1 << 31) : ~ordered)
    }

    static func < (left: Ranked, right: Ranked) -> Bool { left.word < right.word }
}
