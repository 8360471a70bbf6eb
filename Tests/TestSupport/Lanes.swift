import EspalierKernels

/// Runs `body` on a lane of one or two threads, as compute always runs; tests share the lanes and take turns.
package func onLane<Result, Failure: Error>(
    threads: Int, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let lane = threads == 1 ? SharedLanes.single : SharedLanes.double else { return try body() }
    return try lane.run(body)
}

private enum SharedLanes {
    static let single = try? Lane(threads: 1)
    static let double = try? Lane(threads: 2)
}
