/// target += factor * source, `count` numbers.
@inlinable @inline(__always)
package func addScaled(
    _ source: UnsafePointer<Double>, by factor: Double, to target: UnsafeMutablePointer<Double>, count: Int
) {
    var index = 0
    while index + 8 <= count {
        let scaled = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD8<Double>.self) * factor
        let place = UnsafeMutableRawPointer(target + index)
        place.storeBytes(of: place.loadUnaligned(as: SIMD8<Double>.self) + scaled, as: SIMD8<Double>.self)
        index += 8
    }
    while index < count {
        target[index] += factor * source[index]
        index += 1
    }
}

/// The sum of the products of `count` pairs of numbers.
@inlinable @inline(__always)
package func dotProduct(
    _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>, count: Int
) -> Double {
    var sums = SIMD8<Double>.zero
    var rest = 0.0
    var index = 0
    while index + 8 <= count {
        sums +=
            UnsafeRawPointer(left + index).loadUnaligned(as: SIMD8<Double>.self)
            * UnsafeRawPointer(right + index).loadUnaligned(as: SIMD8<Double>.self)
        index += 8
    }
    while index < count {
        rest += left[index] * right[index]
        index += 1
    }
    return sums.sum() + rest
}
