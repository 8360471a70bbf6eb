/// A zero-initialised block of memory aligned for the widest vector registers, owned by one object.
///
/// Tensors share it and copy it on write; the executor owns one as its arena. It is `Sendable` because the
/// tensor that holds it writes only when it is the sole owner, and an arena belongs to one lane.
package final class AlignedStorage: @unchecked Sendable {
    /// 64 bytes: a cache line, and one AVX-512 register.
    package static let alignment = 64

    package let byteCount: Int
    package let base: UnsafeMutableRawPointer

    package init(byteCount: Int) {
        self.byteCount = byteCount
        base = .allocate(byteCount: Swift.max(byteCount, 1), alignment: Self.alignment)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    package init(copying other: AlignedStorage) {
        byteCount = other.byteCount
        base = .allocate(byteCount: Swift.max(byteCount, 1), alignment: Self.alignment)
        base.copyMemory(from: other.base, byteCount: byteCount)
    }

    deinit { base.deallocate() }
}
