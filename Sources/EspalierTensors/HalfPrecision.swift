/// Conversion between 32-bit floating point and the bit patterns of the two 16-bit formats.
///
/// In software, since Swift's `Float16` is not available on every platform; only constants pass through it.
package enum HalfPrecision {
    package static func float(bfloat16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// Rounds to nearest, ties to even.
    package static func bfloat16(_ value: Float) -> UInt16 {
        if value.isNaN { return UInt16(truncatingIfNeeded: value.bitPattern >> 16) | 0x40 }
        let bits = value.bitPattern
        let rounding = 0x7FFF + ((bits >> 16) & 1)
        return UInt16(truncatingIfNeeded: (bits &+ rounding) >> 16)
    }

    package static func float(float16 bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int((bits >> 10) & 0x1F)
        let significand = Int(bits & 0x3FF)
        switch exponent {
        case 0: return sign * Float(sign: .plus, exponent: -24, significand: Float(significand))
        case 31: return significand == 0 ? sign * .infinity : .nan
        default:
            return sign * Float(sign: .plus, exponent: exponent - 25, significand: Float(significand + 1024))
        }
    }

    /// Rounds to nearest, ties to even; beyond 65,504 (after rounding) becomes infinity.
    package static func float16(_ value: Float) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isNaN { return sign | 0x7E00 }
        let magnitude = value.magnitude
        // 65,520 is halfway between the largest finite value and the next power of two.
        if magnitude >= 65_520 { return sign | 0x7C00 }
        // Values below 2^-14 are multiples of 2^-24; the others carry 10 bits after the leading one.
        let exponent = Swift.max(magnitude == 0 ? -14 : Int(magnitude.exponent), -14)
        let scaled = Float(sign: .plus, exponent: 10 - exponent, significand: magnitude)
        let units = Int(scaled.rounded(.toNearestOrEven))
        // Carry into the exponent is the addition's own: 2048 units at one exponent are 1024 at the next.
        return sign | UInt16((exponent + 14) * 1024 + units)
    }
}
