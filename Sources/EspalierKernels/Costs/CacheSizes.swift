import CSparseKernels

/// The sizes of the data caches in bytes, as the system tells them.
struct CacheSizes {
    /// Of one core.
    let first: Int
    let second: Int
    /// Of all cores together.
    let third: Int

    /// Where a system does not tell, what is common.
    init() {
        func size(_ level: Int32, common: Int) -> Int {
            let told = espalier_cache_bytes(level)
            return told > 0 ? told : common
        }
        first = size(1, common: 32 << 10)
        second = size(2, common: 1 << 20)
        third = max(size(3, common: 32 << 20), 2 * second)
    }
}
