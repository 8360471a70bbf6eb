/// How the numbers of many elements become one.
package enum Reduction: String, Sendable, Codable, CaseIterable {
    case sum, mean
    case maximum = "max"
    /// The root of the sum of squares.
    case euclidean = "l2"
}

/// A running reduction.
struct RunningReduction {
    private var sum = 0.0
    private var squares = 0.0
    private var maximum = -Double.infinity
    private var count = 0

    mutating func add(_ other: RunningReduction) {
        sum += other.sum
        squares += other.squares
        maximum = max(maximum, other.maximum)
        count += other.count
    }

    mutating func add(_ number: Float) {
        let number = Double(number)
        sum += number
        squares += number * number
        // Not-a-number is not lost among others.
        maximum = number > maximum || number.isNaN ? number : maximum
        count += 1
    }

    /// 0 for no numbers at all.
    func reduced(_ reduction: Reduction) -> Double {
        guard count > 0 else { return 0 }
        return switch reduction {
        case .sum: sum
        case .mean: sum / Double(count)
        case .maximum: maximum
        case .euclidean: squares.squareRoot()
        }
    }

    /// The same per element, for sets of unequal sizes: the mean for a sum, the root of the mean square for a Euclidean
    /// norm. 0 for no numbers at all.
    func reducedPerElement(_ reduction: Reduction) -> Double {
        guard count > 0 else { return 0 }
        return switch reduction {
        case .sum, .mean: sum / Double(count)
        case .maximum: maximum
        case .euclidean: (squares / Double(count)).squareRoot()
        }
    }
}
