/// Maxima of functions of one and two variables, without derivatives: enough for a model of three parameters of which one
/// is solved for.
enum Maximization {
    /// A point of the plane, and the function there.
    struct Summit: Sendable {
        var x: Double
        var y: Double
        var value: Double
    }

    /// The maximum between the first and the last of some places: the best of them, then golden sections (Kiefer 1953)
    /// between its neighbours.
    ///
    /// - Parameter places: ascending, at least one.
    static func line(_ places: [Double], _ function: (Double) -> Double) -> (x: Double, value: Double) {
        let values = places.map(function)
        let best = values.indices.max { values[$0] < values[$1] } ?? 0
        var (low, high) = (places[max(best - 1, 0)], places[min(best + 1, places.count - 1)])
        let section = (5.0.squareRoot() - 1) / 2
        var (left, right) = (high - section * (high - low), low + section * (high - low))
        var (atLeft, atRight) = (function(left), function(right))
        for _ in 0..<goldenSteps {
            if atLeft < atRight {
                (low, left, atLeft) = (left, right, atRight)
                right = low + section * (high - low)
                atRight = function(right)
            } else {
                (high, right, atRight) = (right, left, atLeft)
                left = high - section * (high - low)
                atLeft = function(left)
            }
        }
        return [(left, atLeft), (right, atRight)].reduce((places[best], values[best])) {
            $1.1 > $0.1 ? $1 : $0
        }
    }

    /// `count` places from one end of a range to the other.
    static func places(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        (0..<count).map {
            range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / Double(count - 1)
        }
    }

    /// Climbs by the simplex of Nelder & Mead (1965), held within a rectangle, and once more from where it ends, since a
    /// simplex may collapse before the summit.
    static func climb(
        from start: Summit, in bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>),
        _ function: (Double, Double) -> Double
    ) -> Summit {
        var best = start
        for scale in [0.3, 0.05] {
            let summit = simplex(from: best, scale: scale, in: bounds, function)
            if summit.value >= best.value { best = summit }
        }
        return best
    }

    private static func simplex(
        from start: Summit, scale: Double, in bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>),
        _ function: (Double, Double) -> Double
    ) -> Summit {
        func at(_ x: Double, _ y: Double) -> Summit {
            let x = min(max(x, bounds.x.lowerBound), bounds.x.upperBound)
            let y = min(max(y, bounds.y.lowerBound), bounds.y.upperBound)
            return Summit(x: x, y: y, value: function(x, y))
        }
        // Away from an edge that the start may lie on.
        let right = start.x + scale <= bounds.x.upperBound ? scale : -scale
        let up = start.y + scale <= bounds.y.upperBound ? scale : -scale
        var corners = [start, at(start.x + right, start.y), at(start.x, start.y + up)]
        for _ in 0..<simplexSteps {
            corners.sort { $0.value > $1.value }
            let extent = corners.dropFirst().map { max(abs($0.x - corners[0].x), abs($0.y - corners[0].y)) }
            if extent.max() ?? 0 < tolerance { break }
            let middle = (x: (corners[0].x + corners[1].x) / 2, y: (corners[0].y + corners[1].y) / 2)
            func moved(_ factor: Double) -> Summit {
                at(
                    middle.x + factor * (corners[2].x - middle.x),
                    middle.y + factor * (corners[2].y - middle.y))
            }
            let reflected = moved(-1)
            if reflected.value > corners[0].value {
                let expanded = moved(-2)
                corners[2] = expanded.value > reflected.value ? expanded : reflected
            } else if reflected.value > corners[1].value {
                corners[2] = reflected
            } else {
                let contracted = moved(reflected.value > corners[2].value ? -0.5 : 0.5)
                if contracted.value > max(corners[2].value, reflected.value) {
                    corners[2] = contracted
                } else {
                    for index in 1...2 {
                        corners[index] = at(
                            (corners[index].x + corners[0].x) / 2, (corners[index].y + corners[0].y) / 2)
                    }
                }
            }
        }
        return corners.max { $0.value < $1.value } ?? start
    }

    private static let goldenSteps = 40
    private static let simplexSteps = 300
    private static let tolerance = 1e-9
}
