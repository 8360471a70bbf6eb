/// How far tensors are from those expected: the largest over all elements of all tensors compared.
package struct TensorDifference: Sendable, Hashable {
    /// Infinite where one number is not one and the other is.
    package private(set) var maxAbsolute = 0.0
    /// The largest finite magnitude of the numbers compared with.
    package private(set) var range = 0.0
    /// The largest of any tensor, relative to the range of the one expected.
    package private(set) var maxRelative = 0.0

    package init() {}

    /// Takes one tensor into account.
    package mutating func compare(_ expected: Tensor, _ found: Tensor) {
        var (difference, range) = (0.0, 0.0)
        for (one, other) in zip(expected.scalars(as: Double.self), found.scalars(as: Double.self)) {
            if one.isFinite { range = max(range, abs(one)) }
            guard one != other, !(one.isNaN && other.isNaN) else { continue }
            let distance = abs(one - other)
            difference = max(difference, distance.isNaN ? .infinity : distance)
        }
        maxAbsolute = max(maxAbsolute, difference)
        self.range = max(self.range, range)
        maxRelative = max(maxRelative, range > 0 ? difference / range : difference)
    }
}
