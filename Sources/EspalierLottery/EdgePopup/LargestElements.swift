/// Which elements of an array are the largest by absolute value.
///
/// Found by radix: bit patterns of absolute values are in the values' order, so the least of the largest is narrowed down in three
/// passes, whatever the values are.
struct LargestElements {
    /// The bit pattern of the least absolute value that is among them.
    private let threshold: UInt32
    /// How many elements of exactly that value are among them: the first ones.
    private let ties: Int

    /// - Parameter count: how many are wanted, at most the array's.
    init(_ values: UnsafeBufferPointer<Float>, count: Int) {
        var wanted = min(max(count, 0), values.count)
        guard wanted > 0 else {
            (threshold, ties) = (.max, 0)
            return
        }
        var prefix: UInt32 = 0
        var mask: UInt32 = 0
        // Of 31 bits: the sign is no part of an absolute value.
        for (shift, bits) in [(20, 11), (9, 11), (0, 9)] as [(UInt32, UInt32)] {
            var histogram = [Int](repeating: 0, count: 1 << bits)
            let digits = (UInt32(1) << bits) - 1
            for value in values {
                let pattern = value.magnitude.bitPattern
                if pattern & mask == prefix { histogram[Int(pattern >> shift & digits)] += 1 }
            }
            var digit = digits
            while histogram[Int(digit)] < wanted {
                wanted -= histogram[Int(digit)]
                digit -= 1
            }
            prefix |= digit << shift
            mask |= digits << shift
        }
        (threshold, ties) = (prefix, wanted)
    }

    /// Tells of each element, in order, whether it is among the largest.
    func forEach(of values: UnsafeBufferPointer<Float>, _ body: (_ position: Int, _ isAmong: Bool) -> Void) {
        var left = ties
        for position in values.indices {
            let pattern = values[position].magnitude.bitPattern
            var isAmong = pattern > threshold
            if pattern == threshold, left > 0 {
                left -= 1
                isAmong = true
            }
            body(position, isAmong)
        }
    }
}
