import EspalierTensors
import EspalierTraining
import Testing

struct BatcherTests {
    private func gathered(_ batcher: Batcher, _ batch: Batch) -> [Float] {
        var values = [Float](repeating: .nan, count: batch.count * batcher.dataset.sampleShape.count)
        values.withUnsafeMutableBufferPointer { batcher.gather(batch, into: $0) }
        return values
    }

    @Test(arguments: [
        (10, 3, false, [3, 3, 3, 1]), (10, 3, true, [3, 3, 3]), (9, 3, false, [3, 3, 3]), (2, 5, false, [2]),
    ])
    func everySampleOncePerEpoch(samples: Int, size: Int, drops: Bool, expected: [Int]) throws {
        let batcher = try Batcher(
            Dataset.numbered(samples), batchSize: size, seed: 1, dropsPartialBatch: drops)
        let batches = batcher.batches(epoch: 0)
        #expect(batches.map(\.count) == expected)
        #expect(batcher.batchCount == expected.count)
        let seen = batches.flatMap { gathered(batcher, $0) }
        #expect(Set(seen).count == expected.reduce(0, +))
        #expect(Set(seen).isSubset(of: (0..<samples).map { Float($0) }))
    }

    @Test func orderIsAFunctionOfSeedAndEpoch() throws {
        let data = try Dataset.numbered(100)
        func order(_ seed: UInt64, _ epoch: Int) throws -> [Int] {
            try Batcher(data, batchSize: 8, seed: seed).batches(epoch: epoch).order
        }
        #expect(try order(1, 0) == order(1, 0))
        #expect(try Set([order(1, 0), order(1, 1), order(2, 0), order(2, 1)]).count == 4)
        let inOrder = try Batcher(data, batchSize: 8, seed: 1, shuffles: false)
        #expect(inOrder.batches(epoch: 3).order == Array(0..<100))
    }

    @Test func resumingGivesTheSameBatches() throws {
        let augmentation = Augmentation(largestShift: 1, flipsHorizontally: true)
        let images = try Dataset(
            name: "images",
            inputs: [
                Dataset.Input(
                    name: "x", values: Tensor(shape: [20, 1, 3, 3], scalars: (0..<180).map { Float($0) }))
            ])
        let batcher = try Batcher(images, batchSize: 6, seed: 5, augmentation: augmentation)
        let all = batcher.batches(epoch: 2).map { gathered(batcher, $0) }
        let again = try Batcher(images, batchSize: 6, seed: 5, augmentation: augmentation)
        #expect(again.batches(epoch: 2).dropFirst(2).map { gathered(again, $0) } == Array(all.dropFirst(2)))
    }

    @Test func labelsFollowTheirSamples() throws {
        let batcher = try Batcher(Dataset.numbered(50, classCount: 7), batchSize: 16, seed: 3)
        for batch in batcher.batches(epoch: 1) {
            var classes: [Int32] = [7]
            #expect(batcher.classes(batch, into: &classes))
            #expect(classes == gathered(batcher, batch).map { Int32($0) % 7 })
            #expect(batcher.targets(batch) == nil)
            let input = batcher.gather(batch, input: 0)
            #expect(input.scalars(as: Float.self) == gathered(batcher, batch))
        }
    }

    @Test func targetsFollowTheirSamples() throws {
        let values = Tensor(shape: [9, 1], scalars: (0..<9).map { Float($0) })
        let data = try Dataset(
            name: "d", inputs: [Dataset.Input(name: "x", values: values)],
            labels: .targets(Tensor(shape: [9, 2], scalars: (0..<18).map { Float($0) })))
        let batcher = try Batcher(data, batchSize: 4, seed: 2)
        for batch in batcher.batches(epoch: 0) {
            let expected = gathered(batcher, batch).flatMap { [2 * $0, 2 * $0 + 1] }
            #expect(batcher.targets(batch)?.scalars(as: Float.self) == expected)
            var classes: [Int32] = []
            #expect(!batcher.classes(batch, into: &classes))
        }
    }

    @Test func impossibleBatchesAreRefused() throws {
        let data = try Dataset.numbered(5)
        dataError(.inconsistent) { _ = try Batcher(data, batchSize: 0, seed: 0) }
        dataError(.inconsistent) { _ = try Batcher(data, batchSize: 6, seed: 0, dropsPartialBatch: true) }
        dataError(.unsupported) {
            _ = try Batcher(data, batchSize: 2, seed: 0, augmentation: Augmentation(largestShift: 1))
        }
    }
}

struct AugmentationTests {
    /// Two images of two channels of 4 x 5 pixels, all values different.
    private let channels = 2
    private let height = 4
    private let width = 5

    private func images(_ preprocessing: Preprocessing = .identity) throws -> Dataset {
        let count = 2 * channels * height * width
        let values = Tensor(shape: [2, channels, height, width], scalars: (0..<count).map { Float($0 + 1) })
        return try Dataset(
            name: "images", inputs: [Dataset.Input(name: "x", values: try preprocessing.apply(to: values))],
            preprocessing: preprocessing)
    }

    /// The changed image by the definition: pixel (row, column) comes from (row - down, column - right) of the image,
    /// or of its mirror image.
    private func expected(_ data: Dataset, sample: Int, _ change: Augmentation.Change) -> [Float] {
        let x = data.x.scalars(as: Float.self)
        return (0..<channels).flatMap { channel in
            (0..<height).flatMap { row in
                (0..<width).map { column in
                    let (fromRow, shifted) = (row - change.down, column - change.right)
                    guard (0..<height).contains(fromRow), (0..<width).contains(shifted) else {
                        return data.preprocessing.valueOfZero(channel: channel)
                    }
                    let fromColumn = change.isFlipped ? width - 1 - shifted : shifted
                    return x[((sample * channels + channel) * height + fromRow) * width + fromColumn]
                }
            }
        }
    }

    @Test(arguments: [
        Preprocessing.identity, Preprocessing(scale: 2, mean: [3, -1], standardDeviation: [2, 5]),
    ])
    func changedImagesAreAsDefined(preprocessing: Preprocessing) throws {
        let data = try images(preprocessing)
        let augmentation = Augmentation(largestShift: 3, flipsHorizontally: true)
        let batcher = try Batcher(data, batchSize: 2, seed: 8, shuffles: false, augmentation: augmentation)
        var changes: Set<Augmentation.Change> = []
        for epoch in 0..<400 {
            let batch = batcher.batches(epoch: epoch)[0]
            var values = [Float](repeating: .nan, count: 80)
            values.withUnsafeMutableBufferPointer { batcher.gather(batch, into: $0) }
            let drawn = (0..<2).map { augmentation.change(seed: 8, epoch: epoch, sample: $0) }
            changes.formUnion(drawn)
            #expect(values == (0..<2).flatMap { expected(data, sample: $0, drawn[$0]) }, "epoch \(epoch)")
        }
        // 7 x 7 shifts and 2 orientations: 800 draws miss none of 98 with a probability above 0.97.
        #expect(changes.count > 90)
    }

    @Test func everyShiftIsEquallyLikely() {
        let augmentation = Augmentation(largestShift: 2, flipsHorizontally: true)
        var counts: [Augmentation.Change: Int] = [:]
        for sample in 0..<50_000 {
            counts[augmentation.change(seed: 1, epoch: sample % 7, sample: sample), default: 0] += 1
        }
        #expect(counts.count == 50)
        // Chi-squared with 49 degrees of freedom: 85.4 is exceeded once in a thousand times.
        let statistic = counts.values.reduce(0) { $0 + ($1 - 1000) * ($1 - 1000) }
        #expect(Double(statistic) / 1000 < 85.4)
    }

    /// Repetitions with seeds one after the other must not share what their epochs see.
    @Test(arguments: [(0, 1, 1, 0), (2, 3, 3, 2), (5, 4, 4, 5)] as [(UInt64, Int, UInt64, Int)])
    func seedAndEpochAreNotInterchangeable(
        seed: UInt64, epoch: Int, otherSeed: UInt64, otherEpoch: Int
    ) {
        let augmentation = Augmentation(largestShift: 2, flipsHorizontally: true)
        let same = (0..<200).count { sample in
            augmentation.change(seed: seed, epoch: epoch, sample: sample)
                == augmentation.change(seed: otherSeed, epoch: otherEpoch, sample: sample)
        }
        // One in 50 by chance.
        #expect(same < 20)
    }

    @Test func withoutFlipsNothingIsFlipped() {
        let changes = (0..<100).map { Augmentation(largestShift: 1).change(seed: 0, epoch: 0, sample: $0) }
        #expect(!changes.contains { $0.isFlipped })
    }

    @Test func shiftsBeyondTheImageAreRefused() throws {
        let data = try images()
        dataError(.inconsistent) {
            _ = try Batcher(data, batchSize: 1, seed: 0, augmentation: Augmentation(largestShift: 4))
        }
        let last = try images().x.reshaped(to: [2, height, width, channels])
        let channelsLast = try Dataset(
            name: "d", inputs: [Dataset.Input(name: "x", values: last)],
            preprocessing: Preprocessing(layout: .channelsLast))
        dataError(.unsupported) {
            _ = try Batcher(channelsLast, batchSize: 1, seed: 0, augmentation: Augmentation(largestShift: 1))
        }
    }
}
