#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A block of memory aligned for the widest vector registers, owned by one object: zeros at first, or a part of a file.
///
/// Tensors share it and copy it on write; the executor owns one as its arena. It is `Sendable` because the
/// tensor that holds it writes only when it is the sole owner, and an arena belongs to one lane.
package final class AlignedStorage: @unchecked Sendable {
    /// 64 bytes: a cache line, and one AVX-512 register.
    package static let alignment = 64

    package let byteCount: Int
    /// Not to be written to where the memory ``isReadOnly``.
    package let base: UnsafeMutableRawPointer
    /// Whether it is a part of a file.
    package let isReadOnly: Bool
    /// The pages that are to be returned to the system; nil for memory of the heap.
    private let pages: UnsafeMutableRawBufferPointer?

    package init(byteCount: Int) {
        self.byteCount = byteCount
        isReadOnly = false
        // Pages from the system are zeros already, and take memory only once they are written to.
        if byteCount >= Self.leastMappedByteCount,
            let pages = Self.map(byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | anonymousMapping, -1, 0)
        {
            self.pages = pages
            base = pages.baseAddress.unsafelyUnwrapped
            #if os(Linux)
                // Weights that no cache holds are read page by page: fewer addresses to be translated.
                madvise(pages.baseAddress, pages.count, MADV_HUGEPAGE)
            #endif
            return
        }
        pages = nil
        base = .allocate(byteCount: Swift.max(byteCount, 1), alignment: Self.alignment)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    package init(copying other: AlignedStorage) {
        byteCount = other.byteCount
        isReadOnly = false
        pages = nil
        base = .allocate(byteCount: Swift.max(byteCount, 1), alignment: Self.alignment)
        base.copyMemory(from: other.base, byteCount: byteCount)
    }

    /// The bytes of an open file from `offset` on, which are read when they are used. The file may be closed, but must not
    /// become shorter. nil if the place is not aligned, or the system refuses.
    package init?(file descriptor: Int32, at offset: Int, byteCount: Int) {
        guard byteCount > 0, offset.isMultiple(of: Self.alignment) else { return nil }
        // The system maps whole pages.
        let skipped = offset % Int(getpagesize())
        guard
            let pages = Self.map(
                byteCount + skipped, PROT_READ, MAP_PRIVATE, descriptor, offset - skipped)
        else { return nil }
        self.byteCount = byteCount
        isReadOnly = true
        self.pages = pages
        base = pages.baseAddress.unsafelyUnwrapped + skipped
    }

    deinit {
        if let pages { munmap(pages.baseAddress, pages.count) } else { base.deallocate() }
    }

    /// Lets the system have the memory of a part of a file until it is read again.
    package func releasePages() {
        guard isReadOnly, let pages else { return }
        madvise(pages.baseAddress, pages.count, MADV_DONTNEED)
    }

    private static let leastMappedByteCount = 1 << 20

    private static func map(
        _ byteCount: Int, _ protection: Int32, _ flags: Int32, _ descriptor: Int32, _ offset: Int
    ) -> UnsafeMutableRawBufferPointer? {
        let start = mmap(nil, byteCount, protection, flags, descriptor, off_t(offset))
        guard let start, start != MAP_FAILED else { return nil }
        return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }
}

#if canImport(Darwin)
    private let anonymousMapping = MAP_ANON
#else
    private let anonymousMapping = MAP_ANONYMOUS
#endif
