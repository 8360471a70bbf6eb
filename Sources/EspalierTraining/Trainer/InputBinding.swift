package import EspalierGraphs
package import EspalierTensors

/// Which input of a data set goes to which input of a network.
package struct InputBinding {
    private struct Pair {
        var id: ValueID
        var name: String
        /// The position among the data set's inputs.
        var position: Int
        /// Of one sample, as the network wants it.
        var sampleShape: Shape
        /// Whether a batch is gathered straight into the network's memory.
        var isMain: Bool
    }

    private let pairs: [Pair]

    /// Inputs are matched by name; a single input of each needs no name. A sample may have another shape than the
    /// network's input if the numbers of elements are equal (images for a network that takes flat vectors).
    ///
    /// - Throws: ``TrainingError/mismatch(_:)``.
    package init(_ graph: Graph, _ dataset: Dataset) throws(TrainingError) {
        var pairs: [Pair] = []
        for id in graph.inputs {
            let name = graph.name(of: id)
            let isOnlyOne = graph.inputs.count == 1 && dataset.inputs.count == 1
            guard let position = isOnlyOne ? 0 : dataset.inputs.firstIndex(where: { $0.name == name }) else {
                let known = dataset.inputs.map(\.name).joined(separator: ", ")
                throw .mismatch("the network's input '\(name)' is not in the data, which has \(known)")
            }
            let given = dataset.inputs[position].values
            let sample = Shape(Array(given.shape.extents.dropFirst()))
            pairs.append(
                Pair(
                    id: id, name: name, position: position,
                    sampleShape: try Self.fit(sample, to: graph.values[id]?.type, input: name),
                    isMain: position == dataset.mainInput && given.dtype == .float32))
        }
        self.pairs = pairs
    }

    private static func fit(
        _ sample: Shape, to type: ValueType?, input: String
    ) throws(TrainingError) -> Shape {
        guard let dimensions = type?.dimensions?.dropFirst() else { return sample }
        let fits =
            dimensions.count == sample.rank
            && zip(dimensions, sample.extents).allSatisfy { dimension, extent in
                if case .fixed(let wanted) = dimension { wanted == extent } else { true }
            }
        if fits { return sample }
        let fixed = dimensions.compactMap { if case .fixed(let extent) = $0 { extent } else { nil } }
        let wanted = Shape(fixed)
        if fixed.count == dimensions.count, wanted.checkedCount() == sample.count { return wanted }
        let text = dimensions.map {
            switch $0 {
            case .fixed(let extent): "\(extent)"
            case .symbolic(let name): name
            case .unknown: "?"
            }
        }
        throw .mismatch(
            "the network's input '\(input)' takes samples of shape \(text.joined(separator: "x")), but the data's are \(sample)"
        )
    }

    /// The shapes of the network's inputs for a batch.
    package func shapes(batchSize: Int) -> [ValueID: Shape] {
        Dictionary(
            uniqueKeysWithValues: pairs.map { ($0.id, Shape([batchSize] + $0.sampleShape.extents)) })
    }

    /// Samples of the data as the network takes them, by the names of its inputs.
    ///
    /// - Precondition: `samples` are positions in the data set that this was made for.
    package func tensors(of dataset: Dataset, samples: [Int]) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: pairs.map { pair in
                let values = dataset.inputs[pair.position].values.selectingRows(samples)
                return (pair.name, values.reshaped(to: Shape([samples.count] + pair.sampleShape.extents)))
            })
    }

    /// Writes a batch into a network's memory.
    ///
    /// - Parameter memory: where the network wants an input's `float32` values, nil if it does not tell.
    /// - Returns: the inputs that could not be written so.
    func feed(
        _ batch: Batch, of batcher: Batcher, memory: (ValueID) -> UnsafeMutableBufferPointer<Float>?
    ) -> [ValueID: Tensor] {
        var others: [ValueID: Tensor] = [:]
        for pair in pairs {
            if pair.isMain, let target = memory(pair.id) {
                batcher.gather(batch, into: target)
            } else {
                let values = batcher.gather(batch, input: pair.position)
                others[pair.id] = values.reshaped(to: Shape([batch.count] + pair.sampleShape.extents))
            }
        }
        return others
    }
}
