#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The jobs of a lane, first in first out.
///
/// It outlives the lane object until its thread has finished, so the thread holds the queue and not the lane.
final class LaneQueue: @unchecked Sendable {
    // Unchecked: every access to the state below is made under the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [LaneJob] = []
    private var isClosed = false
    private var owner: pthread_t?

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Makes the calling thread the one that ``isCurrent`` compares with.
    func claim() {
        locked { owner = pthread_self() }
    }

    /// Whether the calling thread is the lane's own.
    var isCurrent: Bool {
        locked { owner.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    func append(_ job: LaneJob) {
        locked {
            jobs.append(job)
            pthread_cond_broadcast(condition)
        }
    }

    /// Waits until the lane's thread has run ``LaneJob/body``.
    func wait(for job: LaneJob) {
        locked { while !job.isDone { pthread_cond_wait(condition, mutex) } }
    }

    /// Waits for a job and runs it; false once the queue is closed and empty.
    func runNext() -> Bool {
        let job: LaneJob? = locked {
            while jobs.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
        guard let job else { return false }
        job.run()
        locked {
            job.isDone = true
            pthread_cond_broadcast(condition)
        }
        return true
    }

    /// Lets the thread end after the jobs that are waiting.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(condition)
        }
    }
}

/// One job of a lane.
final class LaneJob {
    private var body: (() -> Void)?
    /// Belongs to the queue's mutex.
    fileprivate(set) var isDone = false

    init(_ body: @escaping () -> Void) {
        self.body = body
    }

    func run() { body?() }

    /// Lets go of the closure, which the thread that ran the job does not hold any more; so a waiting caller may pass
    /// one that does not escape.
    func release() { body = nil }
}
