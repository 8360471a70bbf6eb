package import EspalierTensors

/// The batches of a data set, epoch after epoch.
///
/// A value without state: which samples make up step 17 of epoch 3, and how they are augmented, follows from the seed,
/// so that training may be resumed anywhere.
///
/// ```swift
/// let batcher = try Batcher(dataset, batchSize: 64, seed: 1)
/// for batch in batcher.batches(epoch: 0).dropFirst(resumedStep) {
///     batcher.gather(batch, into: buffer)
/// }
/// ```
package struct Batcher: Sendable {
    package let dataset: Dataset
    package let batchSize: Int
    package let seed: UInt64
    /// Whether every epoch has an order of its own; otherwise samples come as they lie.
    package let shuffles: Bool
    /// Whether a last batch of fewer samples is left out.
    package let dropsPartialBatch: Bool
    package let augmentation: Augmentation

    /// - Throws: ``DataError`` `inconsistent` if there would be no batch, `unsupported` if samples are no images with
    ///   channels first and shall be augmented.
    package init(
        _ dataset: Dataset, batchSize: Int, seed: UInt64, shuffles: Bool = true,
        dropsPartialBatch: Bool = false,
        augmentation: Augmentation = .none
    ) throws(DataError) {
        guard batchSize > 0, !dropsPartialBatch || batchSize <= dataset.sampleCount else {
            throw DataError(
                .inconsistent, "batch size", "no batch of \(batchSize) from \(dataset.sampleCount) samples")
        }
        if augmentation != .none {
            guard dataset.x.shape.rank == 4, dataset.x.dtype == .float32,
                dataset.preprocessing.layout != .channelsLast
            else {
                throw DataError(
                    .unsupported, "augmentation",
                    "needs images as [channels, height, width]; samples of \(dataset.name) have shape "
                        + "\(dataset.sampleShape) in layout \(dataset.preprocessing.layout.rawValue)")
            }
            guard (0..<min(dataset.x.shape[2], dataset.x.shape[3])).contains(augmentation.largestShift) else {
                throw DataError(
                    .inconsistent, "augmentation",
                    "a shift by \(augmentation.largestShift) leaves nothing of a \(dataset.sampleShape) image"
                )
            }
        }
        self.dataset = dataset
        self.batchSize = batchSize
        self.seed = seed
        self.shuffles = shuffles
        self.dropsPartialBatch = dropsPartialBatch
        self.augmentation = augmentation
    }

    /// The number of batches in an epoch.
    package var batchCount: Int {
        let samples = dataset.sampleCount
        return dropsPartialBatch ? samples / batchSize : (samples + batchSize - 1) / batchSize
    }

    /// The batches of an epoch in order.
    package func batches(epoch: Int) -> EpochBatches {
        var order = Array(0..<dataset.sampleCount)
        if shuffles {
            var random = RandomSource(seed: seed).split("epoch order").split(epoch)
            random.shuffle(&order)
        }
        return EpochBatches(epoch: epoch, order: order, batchSize: batchSize, count: batchCount)
    }
}

/// Some samples of one epoch.
package struct Batch: Sendable, Hashable {
    /// Augmentation differs from epoch to epoch.
    package let epoch: Int
    /// Positions in the data set.
    package let samples: ArraySlice<Int>

    package init(epoch: Int, samples: ArraySlice<Int>) {
        self.epoch = epoch
        self.samples = samples
    }

    package var count: Int { samples.count }
}

/// The batches of one epoch, by step.
package struct EpochBatches: Sendable, RandomAccessCollection {
    package let epoch: Int
    /// All samples in the epoch's order.
    package let order: [Int]
    package let batchSize: Int
    package let count: Int

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(step: Int) -> Batch {
        let start = step * batchSize
        return Batch(epoch: epoch, samples: order[start..<Swift.min(start + batchSize, order.count)])
    }
}

// MARK: - Gathering

extension Batcher {
    /// Copies the main input of `batch`, augmented, to the start of `target`.
    ///
    /// - Precondition: the main input is `float32`, and `target` has room for the batch.
    package func gather(_ batch: Batch, into target: UnsafeMutableBufferPointer<Float>) {
        let x = dataset.x
        let size = x.count / dataset.sampleCount
        precondition(
            target.count >= batch.count * size, "no room for \(batch.count) samples of \(size) values")
        x.withUnsafeScalars(of: Float.self) { source in
            for (position, sample) in batch.samples.enumerated() {
                let from = UnsafeBufferPointer(rebasing: source[(sample * size)..<((sample + 1) * size)])
                let to = UnsafeMutableBufferPointer(
                    rebasing: target[(position * size)..<((position + 1) * size)])
                if augmentation == .none {
                    _ = to.update(fromContentsOf: from)
                } else {
                    let change = augmentation.change(seed: seed, epoch: batch.epoch, sample: sample)
                    apply(change, from: from, to: to)
                }
            }
        }
    }

    private func apply(
        _ change: Augmentation.Change, from source: UnsafeBufferPointer<Float>,
        to target: UnsafeMutableBufferPointer<Float>
    ) {
        let (channels, height, width) = (dataset.x.shape[1], dataset.x.shape[2], dataset.x.shape[3])
        let plane = height * width
        for channel in 0..<channels {
            let range = (channel * plane)..<((channel + 1) * plane)
            change.apply(
                from: UnsafeBufferPointer(rebasing: source[range]),
                to: UnsafeMutableBufferPointer(rebasing: target[range]), height: height, width: width,
                fill: dataset.preprocessing.valueOfZero(channel: channel))
        }
    }

    /// The input at `position` in ``Dataset/inputs`` for `batch`, not augmented, in its own type.
    package func gather(_ batch: Batch, input position: Int) -> Tensor {
        dataset.inputs[position].values.selectingRows(batch.samples)
    }

    /// Writes the classes of `batch` into memory that is used again and again.
    ///
    /// - Returns: false if samples have none.
    package func classes(_ batch: Batch, into target: inout [Int32]) -> Bool {
        guard case .classes(let classes, _) = dataset.labels else { return false }
        target.removeAll(keepingCapacity: true)
        for sample in batch.samples { target.append(classes[sample]) }
        return true
    }

    /// The targets of `batch`, [samples, ...], or nil if samples have none.
    package func targets(_ batch: Batch) -> Tensor? {
        guard case .targets(let targets) = dataset.labels else { return nil }
        return targets.selectingRows(batch.samples)
    }
}
