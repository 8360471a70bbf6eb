import EspalierRuns
import Foundation
import Testing

struct StoreTests {
    @Test func recordsComeBack() throws {
        let folder = try TemporaryFolder()
        let records = [
            record("train", seed: .max, accuracy: 0.9), record("eval", accuracy: 0.8, macs: 1_000),
        ]
        do {
            let store = try RunStore(at: folder("runs.sqlite"))
            #expect(try records.map { try store.add($0) } == [1, 2])
        }
        // One file is left when nobody has it open.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["runs.sqlite"])
        let store = try RunStore(at: folder("runs.sqlite"))
        #expect(try store.records().map(\.record) == records)
        #expect(try store.records(ids: [2, 1]).map(\.id) == [2, 1])
        #expect(throws: StoreError.self) { try store.records(ids: [3]) }
    }

    @Test func equalRecordsAreKeptOnce() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        #expect(try store.add(record(accuracy: 0.5)) == 1)
        #expect(try store.add(record(accuracy: 0.6)) == 2)
        #expect(try store.add(record(accuracy: 0.5)) == 1)
        #expect(try store.records().count == 2)
    }

    @Test func valuesThatJSONLacksAreKept() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        try store.add(record(accuracy: 0.1, loss: .nan))
        #expect(try store.records().first?.record.loss?.isNaN == true)
    }

    @Test func writersShareAStore() async throws {
        let folder = try TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                // Also the making of it is a race.
                group.addTask {
                    let store = try RunStore(at: folder("runs.sqlite"))
                    for index in 0..<10 { try store.add(record(seed: UInt64(100 * writer + index))) }
                }
            }
            try await group.waitForAll()
        }
        let seeds = try RunStore(at: folder("runs.sqlite")).records().compactMap(\.record.seed)
        #expect(Set(seeds).count == 40)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["runs.sqlite"])
    }

    @Test func defaultPathFollowsTheSpecification() {
        #expect(
            RunStore.defaultPath(environment: ["XDG_DATA_HOME": "/data", "HOME": "/home/a"])
                == "/data/espalier/runs.sqlite")
        for other in [[:], ["XDG_DATA_HOME": ""], ["XDG_DATA_HOME": "relative"]] {
            #expect(
                RunStore.defaultPath(environment: other.merging(["HOME": "/home/a"]) { $1 })
                    == "/home/a/.local/share/espalier/runs.sqlite")
        }
    }
}
