/// Finds how far to go with each part so that a load is met with little damage in sum.
///
/// The damages add up, but the load is a function of all parts together: what a channel saves depends on how many its
/// neighbours have. Curves are what was measured and may be concave in places, where a greedy step that looks no further
/// than the next unit stops. So a multiplier first prices the load (Lagrange; Everett 1963): for each price every part in
/// turn takes the level, of all that it has, with the least damage and price, until none changes. Then one part at a time
/// is moved to any other level and the others make up for it, as long as that helps, which closes the gaps that prices
/// leave.
package struct AllocationSearch {
    private let damages: [[Double]]
    private let load: ([Int]) -> Double

    /// - Parameters:
    ///   - damages: by part the damage at each level; level 0 is nothing removed, and damages never fall.
    ///   - load: at most 1 where the target is met; never rises with a level.
    package init(damages: [[Double]], load: @escaping ([Int]) -> Double) {
        self.damages = damages
        self.load = load
    }

    /// The levels found; nil if even the last ones together do not meet the target.
    package func levels() -> [Int]? {
        let last = damages.map { $0.count - 1 }
        guard isMet(last) else { return nil }
        let none = damages.map { _ in 0 }
        guard !isMet(none) else { return none }
        // Two starts: what prices find, and equal shares of what each part may lose.
        let found = [priced(), evenly(last)].map(exchanged)
        return found.min { damage($0) < damage($1) }
    }

    package func damage(_ levels: [Int]) -> Double {
        zip(damages, levels).reduce(0) { $0 + $1.0[$1.1] }
    }

    private func isMet(_ levels: [Int]) -> Bool { load(levels) <= 1 }

    // MARK: - Starts

    private func evenly(_ last: [Int]) -> [Int] {
        let steps = last.max() ?? 0
        func levels(_ step: Int) -> [Int] { last.map { ($0 * step + steps - 1) / max(steps, 1) } }
        return levels(Self.least(in: 0...steps) { isMet(levels($0)) })
    }

    /// The least damage among what prices lead to.
    private func priced() -> [Int] {
        var best = damages.map { $0.count - 1 }
        var (low, high) = (0.0, 1.0)
        // A price that is high enough; that none is, which rounding may bring about, leaves everything removed.
        var tries = 0
        while tries < 60 {
            let levels = atPrice(high)
            if isMet(levels) {
                best = levels
                break
            }
            (low, high) = (high, 4 * high)
            tries += 1
        }
        for _ in 0..<40 {
            let price = low == 0 ? high / 4 : (low * high).squareRoot()
            let levels = atPrice(price)
            if isMet(levels) {
                high = price
                if damage(levels) < damage(best) { best = levels }
            } else {
                low = price
            }
            if low > 0, high / low < 1 + 1e-6 { break }
        }
        return best
    }

    /// Where no part would choose another level at that price for the load, the others staying.
    private func atPrice(_ price: Double) -> [Int] {
        var levels = damages.map { _ in 0 }
        var value = price * load(levels)
        var isSettled = false
        while !isSettled {
            isSettled = true
            for part in damages.indices {
                var chosen = levels
                for level in damages[part].indices where level != levels[part] {
                    var other = levels
                    other[part] = level
                    let otherValue = damage(other) + price * load(other)
                    // By a margin, so that rounding cannot go round in circles.
                    if otherValue < value - 1e-12 * value.magnitude { (chosen, value) = (other, otherValue) }
                }
                if chosen != levels { (levels, isSettled) = (chosen, false) }
            }
        }
        return levels
    }

    // MARK: - Exchange

    private func exchanged(_ start: [Int]) -> [Int] {
        var levels = withNothingToSpare(start)
        var isSettled = false
        while !isSettled {
            isSettled = true
            for part in damages.indices {
                for level in damages[part].indices where level != levels[part] {
                    guard let moved = moving(part, to: level, levels) else { continue }
                    let (before, after) = (damage(levels), damage(moved))
                    // By a margin, so that rounding cannot go round in circles.
                    if after < before - 1e-12 * before { (levels, isSettled) = (moved, false) }
                }
            }
        }
        return levels
    }

    /// One part at another level, and the others going further or giving back as the target then needs or allows; nil if
    /// that cannot be, or plainly does not pay.
    private func moving(_ part: Int, to level: Int, _ levels: [Int]) -> [Int]? {
        var moved = levels
        moved[part] = level
        if level > levels[part] { return withNothingToSpare(moved, except: part) }
        return goingFurther(moved, except: part, upTo: damage(levels)).map { withNothingToSpare($0) }
    }

    /// Goes on where a step of any length does least damage for what it takes off the load, until the target is met.
    private func goingFurther(_ start: [Int], except fixed: Int, upTo most: Double) -> [Int]? {
        var levels = start
        var current = load(levels)
        while current > 1 {
            guard damage(levels) < most else { return nil }
            var best: (levels: [Int], load: Double, price: Double)?
            for part in damages.indices where part != fixed {
                for level in damages[part].indices.dropFirst(levels[part] + 1) {
                    var further = levels
                    further[part] = level
                    let load = load(further)
                    // What goes beyond the target earns nothing.
                    let relief = current - max(load, 1)
                    guard relief > 0 else { continue }
                    let price = (damages[part][level] - damages[part][levels[part]]) / relief
                    if best.map({ price < $0.price }) ?? true { best = (further, load, price) }
                }
            }
            guard let best else { return nil }
            (levels, current) = (best.levels, best.load)
        }
        return levels
    }

    /// Gives back what the target does not need, where that saves most damage first.
    private func withNothingToSpare(_ start: [Int], except fixed: Int? = nil) -> [Int] {
        var levels = start
        while true {
            let options = levels.indices.compactMap { part -> (part: Int, level: Int, saved: Double)? in
                let level = part == fixed ? levels[part] : lowest(part, levels)
                guard level < levels[part] else { return nil }
                return (part, level, damages[part][levels[part]] - damages[part][level])
            }
            guard let best = options.max(by: { $0.saved < $1.saved }) else { return levels }
            levels[best.part] = best.level
        }
    }

    /// The lowest level of a part that meets the target, the others staying.
    private func lowest(_ part: Int, _ levels: [Int]) -> Int {
        Self.least(in: 0...levels[part]) { level in
            var lowered = levels
            lowered[part] = level
            return isMet(lowered)
        }
    }

    /// The least number for which `isEnough`, which is so for the last.
    private static func least(in range: ClosedRange<Int>, isEnough: (Int) -> Bool) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if isEnough(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
