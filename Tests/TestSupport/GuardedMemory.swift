package import EspalierTensors

/// A block of memory with guards on both sides, for finding writes that miss.
///
/// It starts out poisoned: every bit set, which is not-a-number in every floating-point type and -1 in every signed
/// integer, so that nobody can rely on what was there before.
package final class GuardedMemory {
    package let byteCount: Int
    private let storage: AlignedStorage

    private static let guardByteCount = 2 * AlignedStorage.alignment
    private static let guardPattern: UInt8 = 0xA5

    package init(byteCount: Int) {
        self.byteCount = byteCount
        storage = AlignedStorage(byteCount: byteCount + 2 * Self.guardByteCount)
        let bytes = UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount)
        bytes.initializeMemory(as: UInt8.self, repeating: Self.guardPattern)
        poison()
    }

    /// The memory between the guards, 64-byte aligned.
    package var base: UnsafeMutableRawPointer { storage.base + Self.guardByteCount }

    package func poison() {
        base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: byteCount)
    }

    /// Whether the bytes before and after the block are as they were.
    package var isIntact: Bool {
        let bytes = UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount)
        let end = Self.guardByteCount + byteCount
        return bytes[..<Self.guardByteCount].allSatisfy { $0 == Self.guardPattern }
            && bytes[end...].allSatisfy { $0 == Self.guardPattern }
    }

    package func copy(_ tensor: Tensor) {
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress, bytes.count > 0 else { return }
            base.copyMemory(from: source, byteCount: min(bytes.count, byteCount))
        }
    }

    package func tensor(shape: Shape, dtype: DType) -> Tensor {
        Tensor(shape: shape, dtype: dtype) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: base, count: min(bytes.count, byteCount)))
        }
    }
}
