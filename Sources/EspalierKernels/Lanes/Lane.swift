#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A long-lived thread on which computation runs, with an OpenMP team of its own.
///
/// Before it runs anything it sets flush-to-zero and then its thread count, since oneDNN fixes the count when a
/// primitive is created and the team inherits the floating-point state when it is created. Everything that belongs
/// together (creating primitives, binding and running them) goes through the same lane.
///
/// ```swift
/// let lane = try Lane(threads: 2)
/// let loss = try lane.run { try plan.step(batch) }
/// ```
package final class Lane: Sendable {
    private let queue = LaneQueue()

    /// The number of threads of its team; 1 if there is no OpenMP.
    package let threads: Int

    /// Starts the thread.
    ///
    /// - Throws: `LaneError` if the system gives no thread.
    package init(threads: Int) throws(LaneError) {
        self.threads = ThreadTeam.isAvailable ? Swift.max(threads, 1) : 1
        let start = LaneStart(queue: queue, threads: self.threads)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Secondary threads get 512 KiB on some systems, too little for deep graphs and oneDNN's code generator.
        pthread_attr_setstacksize(&attributes, 8 << 20)
        let context = Unmanaged.passRetained(start)
        #if canImport(Darwin)
            var thread: pthread_t?
            let code = pthread_create(&thread, &attributes, { laneMain($0) }, context.toOpaque())
        #else
            var thread = pthread_t()
            let code = pthread_create(&thread, &attributes, { laneMain($0) }, context.toOpaque())
        #endif
        guard code == 0 else {
            context.release()
            throw LaneError(code: code)
        }
    }

    deinit { queue.close() }

    /// Whether the calling thread is this lane's.
    package var isCurrent: Bool { queue.isCurrent }

    /// Runs `job` on the lane and waits for its result; at once if the caller is on the lane already.
    ///
    /// The caller stands still meanwhile, so the job may use anything that the caller may.
    package func run<Result, Failure: Error>(
        _ job: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if isCurrent { return try job() }
        let outcome = UnsafeMutablePointer<Swift.Result<Result, Failure>>.allocate(capacity: 1)
        defer { outcome.deallocate() }
        withoutActuallyEscaping(job) { job in
            let waiting = LaneJob {
                do throws(Failure) {
                    outcome.initialize(to: .success(try job()))
                } catch {
                    outcome.initialize(to: .failure(error))
                }
            }
            queue.append(waiting)
            queue.wait(for: waiting)
            waiting.release()
        }
        return try outcome.move().get()
    }

    /// Hands `job` to the lane and returns at once. A job may run long: later ones wait for it.
    ///
    /// The job holds what it captures until it has ended, and may hold the lane itself.
    package func start(_ job: @escaping @Sendable () -> Void) {
        queue.append(LaneJob(job))
    }

    /// Runs `job` on the lane without holding up a thread of the caller's.
    package func runAsynchronously<Result: Sendable, Failure: Error>(
        _ job: @escaping @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let outcome: Swift.Result<Result, Failure> = await withCheckedContinuation { continuation in
            queue.append(
                LaneJob {
                    do throws(Failure) {
                        continuation.resume(returning: .success(try job()))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                })
        }
        return try outcome.get()
    }
}

/// The system gave no thread.
package struct LaneError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system's error number.
    package let code: Int32

    package var description: String { "cannot start a compute thread: \(String(cString: strerror(code)))" }
}

/// What a lane's thread needs to know.
private final class LaneStart: Sendable {
    let queue: LaneQueue
    let threads: Int

    init(queue: LaneQueue, threads: Int) {
        self.queue = queue
        self.threads = threads
    }
}

/// The lane's thread.
private func laneMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<LaneStart>.fromOpaque(context).takeRetainedValue()
    _ = FloatingPointUnit.flushDenormals()
    ThreadTeam.count = start.threads
    // Inheritance is how Linux does it, not a promise of every system.
    ThreadTeam.enter { _, _ in _ = FloatingPointUnit.flushDenormals() }
    start.queue.claim()
    while start.queue.runNext() {}
    return nil
}
