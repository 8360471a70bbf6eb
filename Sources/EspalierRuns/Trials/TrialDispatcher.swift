import Foundation

/// Hands trials to the lanes' threads, and stops them all.
final class TrialDispatcher: @unchecked Sendable {
    // Unchecked: every access to the state below is made under the condition's lock.
    private let condition = NSCondition()
    private var queue: TrialQueue
    private var error: (any Error)?
    private var lanesAtWork: Int
    private let cancellation: @Sendable () -> Bool

    /// How often to look whether the user wants to stop, or another process has ended: nothing else tells.
    private static let interval = 0.1

    init(_ queue: TrialQueue, lanes: Int, isCancelled: @escaping @Sendable () -> Bool) {
        self.queue = queue
        lanesAtWork = lanes
        cancellation = isCancelled
    }

    /// Whether the trials under way should come to a stop.
    var isStopping: Bool {
        cancellation() || condition.withLock { error != nil }
    }

    /// Waits for a trial to run; nil when there is nothing left to do.
    func next() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if error != nil || cancellation() || queue.isDone { return nil }
            if let index = queue.next() { return index }
            if !condition.wait(until: Date(timeIntervalSinceNow: Self.interval)) { queue.retryElsewhere() }
        }
    }

    func end(_ index: Int, as state: TrialQueue.State) {
        condition.withLock {
            queue.end(index, as: state)
            // One held elsewhere frees nothing; to wake the others for it would have them ask again without a pause.
            if state != .elsewhere { condition.broadcast() }
        }
    }

    /// Stops everything for an error that concerns all trials, such as a full disk.
    func stop(_ error: any Error) {
        condition.withLock {
            if self.error == nil { self.error = error }
            condition.broadcast()
        }
    }

    func laneDidEnd() {
        condition.withLock {
            lanesAtWork -= 1
            condition.broadcast()
        }
    }

    /// Waits for all lanes.
    ///
    /// - Returns: how each trial stands.
    /// - Throws: what ``stop(_:)`` was given.
    func wait() throws -> [TrialQueue.State] {
        try condition.withLock {
            while lanesAtWork > 0 { condition.wait() }
            if let error { throw error }
            return queue.states
        }
    }
}
