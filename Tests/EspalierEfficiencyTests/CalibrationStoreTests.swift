import EspalierEfficiency
import EspalierKernels
import Foundation
import Testing

struct CalibrationStoreTests {
    private static let model = KernelCostModel(
        ceilings: MachineCeilings(
            threads: 1, multiplyAccumulatesPerSecond: 1.25e11,
            levels: [.init(name: "memory", byteCount: nil, bytesPerSecond: 1e10)]),
        formats: [
            .dense: .init(
                multiplyAccumulatesPerSecond: 1e11, secondsPerSum: 1e-9, fixedSeconds: 2e-6)
        ], reorders: .init(secondsPerByteToPlain: 2e-10, secondsPerByteToChannelsLast: 1e-10))
    private static let identity = CalibrationStore.Identity(
        version: "1", processor: "a processor", threads: 1)

    /// A store in a folder of its own, which does not exist yet.
    private func withStore(_ body: (CalibrationStore) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "espalier-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(CalibrationStore(folder: folder + "/inner"))
    }

    @Test func modelsAreKept() throws {
        try withStore { store in
            var measurements = 0
            func measure() -> KernelCostModel {
                measurements += 1
                return Self.model
            }
            let first = store.model(for: Self.identity, measure: measure)
            #expect(first.isNew && first.problem == nil && first.model == Self.model)
            let second = store.model(for: Self.identity, measure: measure)
            #expect(!second.isNew && second.model == Self.model && measurements == 1)
            #expect(store.model(for: Self.identity, recalibrates: true, measure: measure).isNew)
            #expect(measurements == 2)
        }
    }

    /// What can't be measured now is not kept: next time may be better.
    @Test func typicalModelsAreNotKept() throws {
        try withStore { store in
            let found = store.model(for: Self.identity) { nil }
            #expect(!found.isNew && found.model == .typical(threads: 1))
            #expect(found.problem?.contains("busy") ?? false)
            #expect(store.model(keptFor: Self.identity) == nil)
            #expect(store.model(for: Self.identity) { Self.model }.isNew)
            #expect(store.model(keptFor: Self.identity) == Self.model)
        }
    }

    /// What another machine, another version or another number of threads measured is none of ours.
    @Test func modelsOfOthersAreMeasuredAnew() throws {
        try withStore { store in
            _ = store.model(for: Self.identity) { Self.model }
            for other in [
                CalibrationStore.Identity(version: "2", processor: "a processor", threads: 1),
                .init(version: "1", processor: "another one", threads: 1),
                .init(version: "1", processor: "a processor", threads: 2),
            ] {
                #expect(store.model(for: other) { Self.model }.isNew)
            }
        }
    }

    @Test(arguments: [
        "", "no JSON", "{}", "[1, 2", #"{"schemaVersion": 1, "machine": null, "model": {}}"#,
    ])
    func damagedFilesAreReplaced(text: String) throws {
        try withStore { store in
            _ = store.model(for: Self.identity) { Self.model }
            let file = URL(filePath: store.path(threads: 1))
            try Data(text.utf8).write(to: file)
            let found = store.model(for: Self.identity) { Self.model }
            #expect(found.isNew && found.problem == nil)
            #expect(!store.model(for: Self.identity) { Self.model }.isNew)
        }
    }

    /// What nothing can be computed with is not believed, whoever wrote it.
    @Test func unsoundModelsAreReplaced() throws {
        var models = [KernelCostModel](repeating: Self.model, count: 4)
        models[0].formats[.dense]?.fixedSeconds = -1
        models[1].formats[.dense]?.multiplyAccumulatesPerSecond = 0
        models[2].formats = [:]
        models[3].ceilings = MachineCeilings(threads: 1, multiplyAccumulatesPerSecond: 1e11, levels: [])
        for model in models {
            try withStore { store in
                #expect(store.model(for: Self.identity) { model }.isNew)
                #expect(store.model(for: Self.identity) { Self.model }.isNew)
                #expect(!store.model(for: Self.identity) { Self.model }.isNew)
            }
        }
    }

    @Test func foldersThatCannotBeMadeAreSaid() throws {
        try withStore { store in
            try FileManager.default.createDirectory(
                atPath: URL(filePath: store.folder).deletingLastPathComponent().path,
                withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: store.folder))
            let found = store.model(for: Self.identity) { Self.model }
            #expect(found.isNew && found.problem != nil && found.model == Self.model)
        }
    }
}
