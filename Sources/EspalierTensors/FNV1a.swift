/// The hash of Fowler, Noll and Vo, variant 1a, in 64 bits: the same on every machine and in every run.
///
/// For telling things apart that were confused by mistake. It is no protection against forgery.
package struct FNV1a: Sendable {
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var hash = value
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        value = hash
    }

    /// The text and a zero, so that the end of one text is not the start of the next.
    package mutating func add(_ text: String) {
        (Array(text.utf8) + [0]).withUnsafeBytes { add($0) }
    }

    /// Type, shape and values.
    package mutating func add(_ tensor: Tensor) {
        add("\(tensor.dtype.rawValue) \(tensor.shape)")
        tensor.withUnsafeBytes { add($0) }
    }

    /// 16 hexadecimal digits.
    package var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
