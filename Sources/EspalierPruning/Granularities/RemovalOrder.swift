/// In which order the elements of one weight go, and which of them together.
///
/// What goes with one removal is a *part*: a single element, a block, or the next element of every group of inputs. What is
/// gone already stays so, whichever parts are removed.
struct RemovalOrder {
    /// The parts by ascending importance.
    private let parts: [Ranked]
    /// The part of each element; nil where each is a part of its own.
    private let partOfElement: [UInt32]?
    private let isGone: [Bool]
    /// How many elements are gone after each number of removals, none included.
    private let counts: [Int]
    /// The number of parts, those that are never removed included.
    private let partCount: Int

    /// The number of removals there are.
    var removalCount: Int { parts.count }
    /// The number of elements.
    var size: Int { isGone.count }

    /// The number of elements that are gone after so many removals.
    func goneCount(after removals: Int) -> Int { counts[removals] }

    /// The number of removals that leave at least so many elements; 0 if even that leaves fewer.
    func removals(leaving minimum: Int) -> Int {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high + 1) / 2
            if size - counts[middle] >= minimum { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The importance of what a removal takes; minus infinity where it is gone already.
    func score(of removal: Int) -> Float { parts[removal].score }

    /// How many elements are gone when half of a removal is done.
    func middle(of removal: Int) -> Double { Double(counts[removal] + counts[removal + 1]) / 2 }

    /// Which elements are left after so many removals.
    func kept(after removals: Int) -> [Bool] {
        var kept = isGone.map { !$0 }
        guard let partOfElement else {
            for part in parts.prefix(removals) { kept[part.position] = false }
            return kept
        }
        var isRemoved = [Bool](repeating: false, count: partCount)
        for part in parts.prefix(removals) { isRemoved[part.position] = true }
        for (element, part) in partOfElement.enumerated() where isRemoved[Int(part)] { kept[element] = false }
        return kept
    }

    /// By ascending scores; parts of which nothing is left go first.
    ///
    /// - Parameters:
    ///   - scores: of each part.
    ///   - partOfElement: nil where each element is a part of its own.
    init(scores: [Float], partOfElement: [UInt32]? = nil, isGone: [Bool]) {
        let left = Self.elementsLeft(partOfElement, isGone, partCount: scores.count)
        var parts: [Ranked] = []
        parts.reserveCapacity(scores.count)
        for (part, score) in scores.enumerated() {
            parts.append(Ranked(score: left[part] == 0 ? -.infinity : score, position: part))
        }
        parts.sort()
        self.init(parts: parts, partOfElement: partOfElement, isGone: isGone, left: left)
    }

    /// By their numbers, of which those from `removalCount` on are never removed.
    init(removalCount: Int, partOfElement: [UInt32], isGone: [Bool]) {
        self.init(
            parts: (0..<removalCount).map { Ranked(score: Float($0), position: $0) },
            partOfElement: partOfElement, isGone: isGone,
            left: Self.elementsLeft(partOfElement, isGone, partCount: removalCount + 1))
    }

    private init(parts: [Ranked], partOfElement: [UInt32]?, isGone: [Bool], left: [UInt32]) {
        self.parts = parts
        self.partOfElement = partOfElement
        self.isGone = isGone
        var counts: [Int] = []
        counts.reserveCapacity(parts.count + 1)
        counts.append(isGone.count { $0 })
        for part in parts { counts.append(counts[counts.count - 1] + Int(left[part.position])) }
        self.counts = counts
        partCount = left.count
    }

    /// The number of elements of each part that are not gone.
    private static func elementsLeft(
        _ partOfElement: [UInt32]?, _ isGone: [Bool], partCount: Int
    ) -> [UInt32] {
        guard let partOfElement else { return isGone.map { $0 ? 0 : 1 } }
        var left = [UInt32](repeating: 0, count: partCount)
        for (element, part) in partOfElement.enumerated() where !isGone[element] { left[Int(part)] += 1 }
        return left
    }
}
