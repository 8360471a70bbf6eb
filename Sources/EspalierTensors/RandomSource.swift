#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A seeded source of random numbers (xoshiro256++, Blackman & Vigna 2021), the only one in the package.
///
/// It is a value: copying it copies its state. Independent streams come from ``split(_:)``, so that adding a
/// consumer does not change what the others draw.
public struct RandomSource: RandomNumberGenerator, Sendable, Codable, Hashable {
    private var state0, state1, state2, state3: UInt64

    /// The same seed gives the same numbers, on every machine.
    public init(seed: UInt64) {
        var expander = seed
        state0 = Self.splitMix(&expander)
        state1 = Self.splitMix(&expander)
        state2 = Self.splitMix(&expander)
        state3 = Self.splitMix(&expander)
    }

    /// An independent stream named `purpose`; the same name always gives the same stream, and this source's
    /// own state does not change.
    public func split(_ purpose: String) -> RandomSource {
        // FNV-1a over the name, mixed with the whole state.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        for word in [state0, state1, state2, state3] { hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15 }
        return RandomSource(seed: hash)
    }

    /// An independent stream for the `index`-th of many like tasks.
    public func split(_ index: Int) -> RandomSource {
        split("#\(index)")
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        let sum = state0 &+ state3
        let result = (sum << 23 | sum >> 41) &+ state0
        let shifted = state1 << 17
        state2 ^= state0
        state3 ^= state1
        state1 ^= state2
        state0 ^= state3
        state2 ^= shifted
        state3 = state3 << 45 | state3 >> 19
        return result
    }

    /// Uniform in [0, 1), with 53 random bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in `range`.
    public mutating func uniform(in range: ClosedRange<Float>) -> Float {
        range.lowerBound + Float(uniform()) * (range.upperBound - range.lowerBound)
    }

    /// Standard normal (Box & Muller 1958).
    public mutating func normal() -> Double {
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    private static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
