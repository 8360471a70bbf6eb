import EspalierKernels
import EspalierTensors
import Synchronization
import Testing

/// The product is a denormal number unless denormals are flushed. Not inlined: the compiler's own arithmetic keeps
/// denormals.
@inline(never) private func product(_ left: Float, _ right: Float) -> Float { left * right }

@Suite struct LaneTests {
    struct Refusal: Error, Equatable { let code: Int }

    @Test func resultsAndErrorsComeBack() throws {
        let lane = try Lane(threads: 1)
        #expect(lane.run { 6 * 7 } == 42)
        #expect(throws: Refusal(code: 3)) {
            try lane.run { () throws(Refusal) in throw Refusal(code: 3) }
        }
    }

    @Test func jobsRunInOrderOnOneThread() throws {
        let lane = try Lane(threads: 1)
        #expect(!lane.isCurrent)
        var order: [Int] = []
        for job in 0..<100 {
            lane.run {
                #expect(lane.isCurrent)
                order.append(job)
            }
        }
        #expect(order == Array(0..<100))
    }

    @Test func aJobMayUseItsOwnLane() throws {
        let lane = try Lane(threads: 1)
        #expect(lane.run { lane.run { lane.isCurrent } })
    }

    @Test func asynchronousJobs() async throws {
        let lane = try Lane(threads: 1)
        let sum = await withTaskGroup(of: Int.self) { group in
            for value in 0..<50 {
                group.addTask { await lane.runAsynchronously { value } }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 1225)
        await #expect(throws: Refusal(code: 5)) {
            try await lane.runAsynchronously { () throws(Refusal) in throw Refusal(code: 5) }
        }
    }

    @Test func manyCallersShareALane() async throws {
        let lane = try Lane(threads: 1)
        final class Counter: Sendable { let value = Mutex(0) }
        let counter = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<50 { lane.run { counter.value.withLock { $0 += 1 } } } }
            }
        }
        #expect(counter.value.withLock { $0 } == 400)
    }

    @Test(arguments: [1, 2, 3])
    func threadCountsBelongToLanes(threads: Int) throws {
        let before = ThreadTeam.count
        let lane = try Lane(threads: threads)
        try #require(ThreadTeam.isAvailable)
        #expect(lane.run { ThreadTeam.count } == threads)
        #expect(lane.threads == threads)
        #expect(ThreadTeam.count == before)
        let seen = Mutex<Set<Int>>([])
        lane.run {
            ThreadTeam.enter { thread, count in
                #expect(count == threads)
                seen.withLock { _ = $0.insert(thread) }
            }
        }
        #expect(seen.withLock { $0 } == Set(0..<threads))
    }

    /// On every thread of the team, new ones included.
    @Test func denormalsAreFlushedOnTheWholeTeam() throws {
        let tiny: Float = 1e-30
        try #require(product(tiny, 1e-10) != 0, "the caller's thread keeps denormals")
        let lane = try Lane(threads: 2)
        let nonzero = Mutex<[Int]>([])
        func check() {
            ThreadTeam.enter { thread, _ in
                // Results are flushed, and so are operands.
                let denormal = Float.leastNonzeroMagnitude
                if product(tiny, 1e-10) != 0 || product(denormal, 1e30) != 0 {
                    nonzero.withLock { $0.append(thread) }
                }
            }
        }
        lane.run {
            check()
            ThreadTeam.count = 3
            check()
            ThreadTeam.count = 2
        }
        #expect(nonzero.withLock { $0 } == [])
        #expect(product(tiny, 1e-10) != 0)
    }

    /// oneDNN's own work on a lane as well.
    @Test func denormalsAreFlushedInPrimitives() throws {
        let layout = try DNNLayout.plain([256, 256])
        let x = try Memory([Float](repeating: 1e-30, count: 256 * 256), in: layout)
        let y = Memory(layout)
        try Lane(threads: 2).run {
            try DNNPrimitive.elementwise(.linear(scale: 1e-10), source: layout).runOnce([
                .source: x.pointer, .destination: y.pointer,
            ])
        }
        #expect(y.floats.allSatisfy { $0 == 0 })
    }

    @Test func flushingOnTheCallersThreadIsUndone() throws {
        let tiny: Float = 1e-30
        #expect(withFlushToZero { product(tiny, 1e-10) } == 0)
        #expect(product(tiny, 1e-10) != 0)
        #expect(throws: Refusal(code: 7)) {
            try withFlushToZero { () throws(Refusal) in throw Refusal(code: 7) }
        }
        #expect(product(tiny, 1e-10) != 0)
    }

    @Test(arguments: [0, 1, 2, 3, 7, 1000], [1, 10, 600])
    func parallelRangesCoverEverythingOnce(total: Int, minimum: Int) throws {
        let lane = try Lane(threads: 3)
        let ranges = Mutex<[Range<Int>]>([])
        lane.run {
            ThreadTeam.parallel(total, minimum: minimum) { range in
                ranges.withLock { $0.append(range) }
            }
        }
        let sorted = ranges.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
        #expect(sorted.flatMap { Array($0) } == Array(0..<total))
        #expect(sorted.count <= 3)
        #expect(sorted.count == 1 || sorted.allSatisfy { $0.count >= minimum } || total == 0)
    }

    @Test func nestedRegionsRunSerially() throws {
        let counts = Mutex<[Int]>([])
        try Lane(threads: 2).run {
            ThreadTeam.enter { _, _ in
                ThreadTeam.enter { _, threads in counts.withLock { $0.append(threads) } }
            }
        }
        #expect(counts.withLock { $0 } == [1, 1])
    }

    @Test func theLibraryDescribesItself() throws {
        #expect(DNNLibrary.version.split(separator: ".").count == 3)
        #expect([2, 3].contains(DNNLibrary.majorVersion))
        #expect(!DNNLibrary.instructionSet.isEmpty)
        let capacity = DNNLibrary.primitiveCacheCapacity
        #expect(capacity > 0)
        #expect(throws: DNNError.self) { try DNNLibrary.setPrimitiveCacheCapacity(-1) }
        #expect(DNNLibrary.primitiveCacheCapacity == capacity)
    }
}
