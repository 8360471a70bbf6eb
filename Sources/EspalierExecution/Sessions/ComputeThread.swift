import EspalierKernels
import Foundation

/// Where a session computes: on the caller's thread if it uses one, on a lane of its own if it uses several.
final class ComputeThread: Sendable {
    private let lane: Lane?
    private let lock = NSLock()

    init(threads: Int) throws(ExecutionError) {
        guard threads > 1 else {
            lane = nil
            return
        }
        do throws(LaneError) {
            lane = try Lane(threads: threads)
        } catch {
            throw .internalFailure("\(error)")
        }
    }

    /// Runs `body` there, one caller at a time.
    func sync<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        if let lane { return try lane.run(body) }
        lock.lock()
        defer { lock.unlock() }
        return try withFlushToZero { () throws(Failure) -> Result in
            // A caller may be on a thread whose team is larger: primitives and plans here are for one thread.
            let count = ThreadTeam.count
            ThreadTeam.count = 1
            defer { ThreadTeam.count = count }
            return try body()
        }
    }
}
