package import EspalierOperators
import EspalierTensors

/// The largest singular value of a map, from below: the length of the image of one vector of length 1.
///
/// The vector is the best one of the Krylov space that power iteration walks through from a random start, found by
/// bidiagonalisation (Golub & Kahan 1965) with the right vectors made orthogonal again at every step. After the same
/// number of applications it is never worse than power iteration's, and mostly much better. However well it has
/// converged, the value is a lower bound and no certificate.
package struct LargestSingularValue: Sendable {
    /// At most the norm: what was measured less what rounding may have added to it.
    package let lower: Double
    /// How often the map and its transpose were applied.
    package let steps: Int

    /// - Parameters:
    ///   - sums: those of `map`.
    ///   - tolerance: it stops when the last ten steps raised the value by less than this share.
    /// - Throws: ``RobustnessError/lapack(_:_:)``.
    package init(
        _ map: LinearMap, sums: AbsoluteSums, seed: UInt64, mostSteps: Int = 200, tolerance: Double = 1e-5
    ) throws(RobustnessError) {
        var random = RandomSource(seed: seed).split("singular value")
        var basis = [Self.normalized((0..<map.inputCount).map { _ in random.normal() }).vector]
        guard sums.rows > 0, map.inputCount > 0 else {
            (lower, steps) = (0, 0)
            return
        }
        var (left, length) = Self.normalized(map.apply(basis[0]))
        var (diagonal, offDiagonal) = ([length], [Double]())
        var previous = length
        // Below this, what is left is rounding.
        let negligible = Rounding.relative(map.mostTerms + 16) * sums.euclideanBound
        let mostVectors = min(mostSteps, map.inputCount, max(20, Self.mostElements / map.inputCount))
        while length > negligible, basis.count < mostVectors {
            var next = map.applyTransposed(left)
            // Twice is enough (Kahan, in Parlett 1980).
            for _ in 0..<2 { Self.makeOrthogonal(&next, to: basis) }
            let (right, offLength) = Self.normalized(next)
            guard offLength > negligible else { break }
            basis.append(right)
            offDiagonal.append(offLength)
            var image = map.apply(right)
            for index in image.indices { image[index] -= offLength * left[index] }
            (left, length) = Self.normalized(image)
            diagonal.append(length)
            if diagonal.count % 10 == 0 {
                let value = try Self.decomposed(diagonal, offDiagonal).values.first ?? 0
                if value <= previous * (1 + tolerance) { break }
                previous = value
            }
        }
        let weights = try Self.decomposed(diagonal, offDiagonal).firstRight
        var vector = [Double](repeating: 0, count: map.inputCount)
        for (weight, right) in zip(weights, basis) {
            for index in vector.indices { vector[index] += weight * right[index] }
        }
        let measured = Self.normalized(map.apply(vector)).length / Self.normalized(vector).length
        let relative = Rounding.relative(map.inputCount + map.outputCount + 8)
        lower = max(0, measured * (1 - relative) - negligible)
        steps = basis.count
    }

    /// Half a gigabyte of vectors.
    private static let mostElements = 1 << 26

    private static func decomposed(
        _ diagonal: [Double], _ offDiagonal: [Double]
    ) throws(RobustnessError) -> SingularValues {
        let order = diagonal.count
        var elements = [Double](repeating: 0, count: order * order)
        for index in 0..<order {
            elements[index * (order + 1)] = diagonal[index]
            if index < offDiagonal.count, index + 1 < order {
                elements[index * (order + 1) + 1] = offDiagonal[index]
            }
        }
        return try SingularValues(MatrixMap(rows: order, columns: order, elements: elements))
    }

    private static func normalized(_ vector: [Double]) -> (vector: [Double], length: Double) {
        let length = vector.withUnsafeBufferPointer { elements in
            elements.baseAddress.map { dotProduct($0, $0, count: elements.count).squareRoot() } ?? 0
        }
        return (length > 0 ? vector.map { $0 / length } : vector, length)
    }

    private static func makeOrthogonal(_ vector: inout [Double], to basis: [[Double]]) {
        vector.withUnsafeMutableBufferPointer { vector in
            guard let elements = vector.baseAddress else { return }
            for other in basis {
                other.withUnsafeBufferPointer { other in
                    guard let other = other.baseAddress else { return }
                    let share = dotProduct(elements, other, count: vector.count)
                    addScaled(other, by: -share, to: elements, count: vector.count)
                }
            }
        }
    }
}
