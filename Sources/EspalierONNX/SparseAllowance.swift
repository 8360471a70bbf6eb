/// What the sparse tensors of one file may take in memory.
///
/// A dense tensor takes as many bytes in memory as in the file; a sparse one of a few bytes can claim any size. So the
/// bytes of a file's sparse tensors may, in total, exceed `ratio` times what their stored values take by `excess` at most:
/// generous for pruned networks (99.9 % zeros keep within the ratio, and whole layers of zeros within the excess), and a
/// bound for files that were made to exhaust the machine. The reader refuses what goes beyond, and the writer stores it
/// densely, so that what is written can be read.
struct SparseAllowance {
    static let ratio = 1024
    static let excess = 64 << 20

    private var remaining = Self.excess

    /// Whether a dense tensor of `byteCount` may be made of values of `valueByteCount`; if so, it is taken account of.
    mutating func admits(byteCount: Int, valueByteCount: Int) -> Bool {
        // Tensors have at most 2^40 elements, and values are in memory already: nothing overflows.
        let needed = Swift.max(0, byteCount - Self.ratio * valueByteCount)
        guard needed <= remaining else { return false }
        remaining -= needed
        return true
    }
}
