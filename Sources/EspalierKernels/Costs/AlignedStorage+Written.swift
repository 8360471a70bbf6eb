import EspalierTensors

extension AlignedStorage {
    /// Memory that is there to be read: pages that nothing was written to are all the same page of zeros, which no cache need hold twice.
    ///
    /// Its numbers are small and finite in every type.
    static func written(byteCount: Int) -> AlignedStorage {
        let storage = AlignedStorage(byteCount: byteCount)
        storage.base.initializeMemory(as: UInt8.self, repeating: 0x3C, count: byteCount)
        return storage
    }
}
