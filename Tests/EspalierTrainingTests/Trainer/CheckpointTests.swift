import EspalierArchives
import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Testing

struct CheckpointTests {
    /// What a run of a certain kind is made of.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var optimizer: any Optimizer = StochasticGradientDescent(isNesterov: true, weightDecay: 0.001)
        var masks = false
        var leavesOutMasked = false
        var distils = false
        var validates = true
        var threads = 1

        static let all = [
            Kind(testDescription: "momentum"),
            Kind(testDescription: "AdamW, masks", optimizer: AdamW(weightDecay: 0.01), masks: true),
            Kind(testDescription: "masks left out", masks: true, leavesOutMasked: true),
            Kind(testDescription: "Adam, distillation", optimizer: Adam(), distils: true, validates: false),
            Kind(testDescription: "two threads", threads: 2),
        ]

        func run(hook: RecordingHook = RecordingHook()) throws -> TrainingRun {
            let graph = try TrainingFixtures.network()
            var recipe = TrainingFixtures.recipe(epochs: 4)
            recipe.optimizer = optimizer
            recipe.schedule = OneCycle(peak: 0.02)
            recipe.maximumGradientNorm = 2
            recipe.threads = threads
            recipe.dropsPartialBatch = false
            if distils { recipe.loss = Distillation(temperature: 3, weight: 0.5) }
            let weight = try #require(graph.value(named: "fc1.weight")?.id)
            let mask = Mask(shape: [16, 8], kept: (0..<128).map { $0 % 4 == 0 })
            return try TrainingRun(
                graph, training: TrainingFixtures.blobs(200, seed: 1),
                validation: validates ? TrainingFixtures.blobs(50, seed: 2) : nil, recipe: recipe,
                teacher: distils ? Teacher(TrainingFixtures.network(seed: 8)) : nil,
                masks: masks ? MaskSet([weight: mask]) : MaskSet(),
                leavesOutMasked: leavesOutMasked, hooks: [hook])
        }
    }

    /// Everything of a result but the times.
    private func fingerprint(_ run: TrainingRun) throws -> [String: [UInt32]] {
        var bits = TrainingFixtures.bits(try run.currentGraph())
        for (name, bits2) in TrainingFixtures.bits(try run.trainedGraph()) { bits["best \(name)"] = bits2 }
        for (name, tensor) in zip(run.updater.state.names, run.updater.state.snapshot()) {
            bits["state \(name)"] = tensor.scalars(as: Float.self).map(\.bitPattern)
        }
        bits["losses"] = run.history.flatMap {
            [Float($0.trainingLoss).bitPattern, Float($0.validationLoss ?? 0).bitPattern]
        }
        return bits
    }

    @Test(arguments: Kind.all, [0, 1, 7, 14, 15])
    func aResumedRunIsTheSameBitForBit(kind: Kind, stop: Int) throws {
        let straight = try kind.run()
        #expect(try straight.train() == .finished)

        try TrainingFixtures.withTemporaryFile { path in
            let first = try kind.run()
            let policy = CheckpointPolicy(path: path, everyEpochs: 100)
            #expect(
                try first.train(checkpoints: policy, isCancelled: { first.stepsDone == stop }) == .cancelled)
            #expect(first.stepsDone == stop)
            let hook = RecordingHook()
            let second = try kind.run(hook: hook)
            try second.resume(from: path)
            #expect(second.stepsDone == stop && hook.counter == stop)
            #expect(try second.train() == .finished)
            #expect(try fingerprint(second) == fingerprint(straight))
            #expect(hook.counter == straight.totalSteps)
            #expect(!hook.calls.contains("begin"), "a resumed run does not begin again")
        }
    }

    @Test func everyEpochIsSavedAndAFinishedRunHasNothingToDo() throws {
        try TrainingFixtures.withTemporaryFile { path in
            let kind = Kind.all[0]
            let run = try kind.run()
            var saved: [Int] = []
            try run.train(
                checkpoints: CheckpointPolicy(path: path),
                observer: { event in
                    guard case .epoch = event else { return }
                    let copy = try kind.run()
                    try copy.resume(from: path)
                    saved.append(copy.epoch)
                })
            #expect(saved == [1, 2, 3, 4])
            let done = try kind.run()
            try done.resume(from: path)
            #expect(try done.train() == .finished)
            #expect(try fingerprint(done) == fingerprint(run))
        }
    }

    @Test func anotherRunsCheckpointIsRefusedWithTheDifference() throws {
        try TrainingFixtures.withTemporaryFile { path in
            try Kind.all[0].run().save(to: path)
            let graph = try TrainingFixtures.network()
            var recipe = TrainingFixtures.recipe(epochs: 4)
            recipe.batchSize = 16
            let other = try TrainingRun(graph, training: TrainingFixtures.blobs(200, seed: 1), recipe: recipe)
            let error = #expect(throws: TrainingError.self) { try other.resume(from: path) }
            #expect(error?.description.contains("batch size 32") == true)
            #expect(throws: TrainingError.self) { try Kind.all[1].run().resume(from: path) }
        }
    }

    @Test func damagedFilesAreRefused() throws {
        try TrainingFixtures.withTemporaryFile { path in
            let run = try Kind.all[0].run()
            try run.save(to: path)
            let bytes = try FileBytes.read(path)
            for length in [0, 1, bytes.count / 2, bytes.count - 1] {
                try FileBytes.write(Array(bytes.prefix(length)), to: path)
                #expect(throws: TrainingError.self) { try run.resume(from: path) }
            }
            var flipped = bytes
            flipped[bytes.count / 2] ^= 0x10
            try FileBytes.write(flipped, to: path)
            #expect(throws: TrainingError.self) { try run.resume(from: path) }
            try FileBytes.write(bytes, to: path)
            #expect(throws: Never.self) { try run.resume(from: path) }
            #expect(throws: TrainingError.self) { try run.resume(from: path + ".missing") }
            // That it cannot be written says nothing of what is there already.
            let error = #expect(throws: TrainingError.self) { try run.save(to: path + "/no/such/folder") }
            guard case .unwritable = error else {
                Issue.record("\(error.map { "\($0)" } ?? "nothing") was thrown")
                return
            }
        }
    }

    @Test func arraysCanBeReadByName() throws {
        try TrainingFixtures.withTemporaryFile { path in
            let run = try Kind.all[1].run()
            try run.train(checkpoints: CheckpointPolicy(path: path))
            let archive = try NpzArchive(contentsOf: path)
            let weight = try archive.tensor("parameter/fc1.weight")
            #expect(weight.shape == [16, 8])
            #expect(Mask(nonzeroOf: weight) == Mask(nonzeroOf: try archive.tensor("mask/fc1.weight")))
            #expect(archive.names.contains("optimizer/secondMoment/fc2.weight"))
            #expect(archive.names.contains("hook/0/counter"))
        }
    }
}
