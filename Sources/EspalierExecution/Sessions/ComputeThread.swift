import Synchronization

/// Where a session computes: the caller's thread for one thread, a lane of its own for several.
final class ComputeThread: Sendable {
    private let lock = Mutex<Void>(())

    init(threads: Int) {}

    /// Runs `body` there, one caller at a time.
    func sync<Result: Sendable>(_ body: @Sendable () -> Result) -> Result {
        lock.withLock { _ in body() }
    }
}
