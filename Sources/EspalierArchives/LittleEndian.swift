/// Checked reading of little-endian integers from bytes of unknown origin.
extension RandomAccessCollection<UInt8> where Index == Int {
    /// The 16-bit integer which starts at index `position`, or nil if it is not all there.
    func uint16(at position: Int) -> UInt16? {
        littleEndian(at: position, byteCount: 2).map { UInt16(truncatingIfNeeded: $0) }
    }

    /// The 32-bit integer which starts at index `position`, or nil if it is not all there.
    func uint32(at position: Int) -> UInt32? {
        littleEndian(at: position, byteCount: 4).map { UInt32(truncatingIfNeeded: $0) }
    }

    private func littleEndian(at position: Int, byteCount: Int) -> UInt64? {
        guard position >= startIndex, position <= endIndex, endIndex - position >= byteCount else {
            return nil
        }
        return (0..<byteCount).reduce(0) { $0 | UInt64(self[position + $1]) << UInt64(8 * $1) }
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func append(littleEndian value: UInt32) {
        append(littleEndian: UInt16(truncatingIfNeeded: value))
        append(littleEndian: UInt16(truncatingIfNeeded: value >> 16))
    }
}
