/// Hierarchical clustering in which two clusters are as far apart as their members are in the mean (UPGMA, Sokal & Michener
/// 1958).
///
/// Found by following nearest neighbours until two are each other's (Benzécri 1982), in time quadratic in the number of
/// items: for average linkage that gives the same tree as joining the closest pair again and again. Ties go to the lower
/// number.
package struct AverageLinkage: Sendable {
    /// Two clusters that were joined, each named by one of its items.
    package struct Merge: Sendable, Equatable {
        package let first: Int
        package let second: Int
        /// The mean distance between their items.
        package let height: Double
    }

    package let itemCount: Int
    /// In ascending order of height.
    package let merges: [Merge]

    /// - Parameter distance: of two different items; symmetric, not nan.
    package init(itemCount: Int, distance: (Int, Int) -> Double) {
        self.itemCount = itemCount
        var table = [Double](repeating: 0, count: itemCount * itemCount)
        for i in 0..<itemCount {
            for j in 0..<i {
                let value = distance(i, j)
                table[i * itemCount + j] = value
                table[j * itemCount + i] = value
            }
        }
        var sizes = [Int](repeating: 1, count: itemCount)
        var alive = [Bool](repeating: true, count: itemCount)
        var merges: [Merge] = []
        var chain: [Int] = []
        while merges.count + 1 < itemCount {
            if chain.isEmpty { chain = [alive.firstIndex(of: true) ?? 0] }
            let end = chain[chain.count - 1]
            // The one before wins ties, or the chain could go round in circles.
            var nearest = chain.count > 1 ? chain[chain.count - 2] : -1
            for other in 0..<itemCount where alive[other] && other != end {
                if nearest < 0 || table[end * itemCount + other] < table[end * itemCount + nearest] {
                    nearest = other
                }
            }
            guard chain.count > 1, nearest == chain[chain.count - 2] else {
                chain.append(nearest)
                continue
            }
            chain.removeLast(2)
            let (kept, gone) = (min(end, nearest), max(end, nearest))
            merges.append(Merge(first: kept, second: gone, height: table[kept * itemCount + gone]))
            let (a, b) = (Double(sizes[kept]), Double(sizes[gone]))
            for other in 0..<itemCount where alive[other] && other != kept && other != gone {
                let mean =
                    (a * table[kept * itemCount + other] + b * table[gone * itemCount + other]) / (a + b)
                table[kept * itemCount + other] = mean
                table[other * itemCount + kept] = mean
            }
            sizes[kept] += sizes[gone]
            alive[gone] = false
        }
        self.merges = merges.enumerated().sorted {
            ($0.element.height, $0.offset) < ($1.element.height, $1.offset)
        }.map(\.element)
    }

    /// The clusters when all merges up to `height` are made: items ascending, clusters by their first item.
    package func clusters(upTo height: Double) -> [[Int]] {
        var parent = Array(0..<itemCount)
        func root(_ item: Int) -> Int {
            var item = item
            while parent[item] != item { item = parent[item] }
            return item
        }
        for merge in merges where merge.height <= height {
            let (one, other) = (root(merge.first), root(merge.second))
            parent[max(one, other)] = min(one, other)
        }
        return Dictionary(grouping: 0..<itemCount, by: root).sorted { $0.key < $1.key }.map(\.value)
    }
}
