import COneDNN

/// The OpenMP team of the calling thread: the threads that oneDNN's primitives use, and the only ones that our own
/// kernels may.
package enum ThreadTeam {
    /// Whether the process has the OpenMP runtime of oneDNN. Without it, every team has one thread.
    package static var isAvailable: Bool { espalier_dnn_has_openmp() }

    /// The threads that `work` is worth calling: all of `threads`, or one where the call alone, about two microseconds, would
    /// take as long as others could save.
    package static func size(for work: Work, of threads: Int) -> Int { work.isWorthSharing ? threads : 1 }

    /// What is to be done, as far as that is known beforehand.
    package enum Work: Sendable, Hashable {
        /// A product or convolution: multiply-accumulates with weights that are kept in a format.
        case product(KernelFormat, multiplyAccumulates: Int)
        /// Anything else: bytes read and written.
        case moving(byteCount: Int)

        var isWorthSharing: Bool {
            switch self {
            case .product(let format, let multiplyAccumulates):
                multiplyAccumulates >= format.leastSharedMultiplyAccumulates
            case .moving(let byteCount): byteCount >= 128 << 10
            }
        }
    }

    /// Runs `body` with a team of so many threads, and restores the team's size.
    package static func with<Result, Failure: Error>(
        _ threads: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = count
        guard threads != before else { return try body() }
        count = threads
        defer { count = before }
        return try body()
    }

    /// The number of threads of the calling thread's team.
    ///
    /// Setting it changes nothing for other threads. Primitives keep the count they were created with.
    package static var count: Int {
        get { Int(espalier_dnn_threads()) }
        set { espalier_dnn_set_threads(Int32(clamping: Swift.max(newValue, 1))) }
    }

    /// Splits `0..<total` into one contiguous range per thread, and runs `body` on all of them at once.
    ///
    /// The split depends on nothing but `total` and the number of threads. Inside of a region it runs serially.
    ///
    /// - Parameters:
    ///   - minimum: the smallest number of items worth a thread; with fewer than twice as many all runs here.
    ///   - body: runs on several threads at the same time, so it may write only what belongs to its range. The compiler
    ///     cannot check that, since element pointers are not `Sendable`.
    package static func parallel(_ total: Int, minimum: Int = 1, _ body: (Range<Int>) -> Void) {
        guard total > 0 else { return }
        guard total >= 2 * minimum, count > 1 else { return body(0..<total) }
        enter { thread, threads in
            let used = Swift.min(threads, Swift.max(total / Swift.max(minimum, 1), 1))
            guard thread < used else { return }
            let share = total / used
            let rest = total % used
            let start = thread * share + Swift.min(thread, rest)
            let end = start + share + (thread < rest ? 1 : 0)
            if start < end { body(start..<end) }
        }
    }

    /// As ``parallel(_:minimum:_:)``, or on the calling thread alone if all of it together is not worth calling others.
    package static func parallel(_ total: Int, of work: Work, _ body: (Range<Int>) -> Void) {
        guard work.isWorthSharing else {
            if total > 0 { body(0..<total) }
            return
        }
        parallel(total, body)
    }

    /// Runs `body(thread, threads)` once on each thread of the team.
    ///
    /// Allocates 32 bytes, as other threads can't be given a closure that lies on this one's stack.
    package static func enter(_ body: (_ thread: Int, _ threads: Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var region = Region(body: body)
            withUnsafeMutablePointer(to: &region) { region in
                espalier_dnn_parallel(
                    { context, thread, threads in
                        guard let context else { return }
                        context.assumingMemoryBound(to: Region.self).pointee.body(Int(thread), Int(threads))
                    }, region)
            }
        }
    }

    private struct Region {
        let body: (Int, Int) -> Void
    }
}

/// The state of the calling thread's floating-point unit.
package enum FloatingPointUnit {
    /// Makes denormal operands and results zero on the calling thread, and returns the state before.
    ///
    /// Threads inherit it when they are created: set it before anything starts a team.
    package static func flushDenormals() -> UInt64 { espalier_dnn_flush_denormals() }

    package static func restore(_ state: UInt64) { espalier_dnn_restore_floating_point(state) }
}

/// Runs `body` on the calling thread with denormals flushed to zero, and restores the thread's state after it.
///
/// For sessions of one thread on the caller's own. Denormals in pruned weights and activations cost tenfold time.
package func withFlushToZero<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let state = FloatingPointUnit.flushDenormals()
    defer { FloatingPointUnit.restore(state) }
    return try body()
}
