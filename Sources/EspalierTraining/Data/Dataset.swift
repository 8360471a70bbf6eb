public import EspalierTensors

/// Samples for a network, with what is expected of it for each: a value.
public struct Dataset: Sendable {
    /// What a network should say for each sample.
    public enum Labels: Sendable {
        /// Nothing is known: such data can calibrate, measure and distil, but not score.
        case none
        /// The class of each sample, in `0..<count`.
        case classes([Int32], count: Int)
        /// Values to come near to: `float32`, [samples, ...].
        case targets(Tensor)
    }

    /// One input of the network for every sample.
    public struct Input: Sendable {
        /// The graph input that it is for; `x` where there is only one and the source names none.
        public var name: String
        /// The values, [samples, ...].
        public var values: Tensor

        public init(name: String, values: Tensor) {
            self.name = name
            self.values = values
        }
    }

    /// Where it comes from, for people: `fashion-mnist/test`.
    public let name: String
    /// At least one; all have the same number of samples.
    public let inputs: [Input]
    /// What is expected for each sample.
    public let labels: Labels
    /// The names of the classes, or empty.
    public let classNames: [String]
    /// What was already done to the main input.
    public let preprocessing: Preprocessing
    /// The extent of each input on axis 0.
    public let sampleCount: Int
    /// ``fingerprint``, once it was asked for; nothing of a data set changes.
    let fingerprintCache = FingerprintCache()

    /// - Throws: ``DataError`` `inconsistent` if there is no input or no sample, counts differ, or a class is out of
    ///   range.
    public init(
        name: String, inputs: [Input], labels: Labels = .none, classNames: [String] = [],
        preprocessing: Preprocessing = .identity
    ) throws(DataError) {
        guard let first = inputs.first, first.values.shape.rank > 0, first.values.shape[0] > 0 else {
            throw DataError(.inconsistent, name, "holds no samples")
        }
        let samples = first.values.shape[0]
        for input in inputs where input.values.shape.extents.first != samples {
            throw DataError(
                .inconsistent, name,
                "input '\(input.name)' has shape \(input.values.shape), but '\(first.name)' has \(samples) samples"
            )
        }
        guard Set(inputs.map(\.name)).count == inputs.count else {
            throw DataError(.inconsistent, name, "two inputs have the same name")
        }
        switch labels {
        case .none: break
        case .classes(let classes, let count):
            try Self.check(labels: classes.count, samples: samples, name: name)
            if let sample = classes.indices.first(where: { classes[$0] < 0 || classes[$0] >= count }) {
                throw DataError(
                    .inconsistent, name, "sample \(sample) has class \(classes[sample]) of \(count) classes")
            }
            guard classNames.isEmpty || classNames.count == count else {
                throw DataError(.inconsistent, name, "\(classNames.count) names for \(count) classes")
            }
        case .targets(let targets):
            try Self.check(labels: targets.shape.extents.first ?? 0, samples: samples, name: name)
            guard targets.dtype == .float32 else {
                throw DataError(.inconsistent, name, "targets are \(targets.dtype.rawValue), not float32")
            }
        }
        self.name = name
        self.inputs = inputs
        self.labels = labels
        self.classNames = classNames
        self.preprocessing = preprocessing
        sampleCount = samples
    }

    private static func check(labels: Int, samples: Int, name: String) throws(DataError) {
        guard labels == samples else {
            throw DataError(.inconsistent, name, "\(labels) labels for \(samples) samples")
        }
    }
}

extension Dataset {
    /// The main input, [samples, ...]: the one named `x`, or else the first.
    public var x: Tensor { inputs[mainInput].values }

    /// The position of the main input in ``inputs``.
    package var mainInput: Int { inputs.firstIndex { $0.name == "x" } ?? 0 }

    /// The shape of one sample of the main input.
    public var sampleShape: Shape { Shape(Array(x.shape.extents.dropFirst())) }

    /// The number of classes, if samples have classes.
    public var classCount: Int? {
        if case .classes(_, let count) = labels { count } else { nil }
    }

    /// Whether it is known what a network should say.
    package var isLabelled: Bool {
        if case .none = labels { false } else { true }
    }

    /// The samples at `indices`, in that order.
    ///
    /// - Throws: ``DataError`` `inconsistent` if an index is out of range or there is none.
    public func selecting(_ indices: [Int], name: String? = nil) throws(DataError) -> Dataset {
        if let wrong = indices.first(where: { !(0..<sampleCount).contains($0) }) {
            throw DataError(.inconsistent, self.name, "no sample \(wrong) among \(sampleCount)")
        }
        let labels: Labels =
            switch labels {
            case .none: .none
            case .classes(let classes, let count): .classes(indices.map { classes[$0] }, count: count)
            case .targets(let targets): .targets(targets.selectingRows(indices))
            }
        return try Dataset(
            name: name ?? self.name,
            inputs: inputs.map { Input(name: $0.name, values: $0.values.selectingRows(indices)) },
            labels: labels, classNames: classNames, preprocessing: preprocessing)
    }
}

extension Tensor {
    /// The slices at `indices` of axis 0, which must be in range.
    func selectingRows(_ indices: some Collection<Int>) -> Tensor {
        var shape = shape
        shape[0] = indices.count
        let row = shape.count(1..<shape.rank) * dtype.byteCount
        return Tensor(shape: shape, dtype: dtype) { target in
            withUnsafeBytes { source in
                for (position, index) in indices.enumerated() {
                    UnsafeMutableRawBufferPointer(rebasing: target[(position * row)..<((position + 1) * row)])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(
                                rebasing: source[(index * row)..<((index + 1) * row)]))
                }
            }
        }
    }
}
