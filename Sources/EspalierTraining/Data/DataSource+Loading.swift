internal import EspalierTensors

/// Samples as a source has them, before any preparation.
struct RawSamples {
    var inputs: [Dataset.Input]
    var labels: Dataset.Labels
    var classNames: [String] = []
}

/// The parts that a source has of its own.
enum RawParts {
    /// One heap of samples, from which a test part has to be drawn.
    case undivided(RawSamples)
    /// The training and test parts, each read when it is asked for.
    case divided(train: () throws(DataError) -> RawSamples, test: () throws(DataError) -> RawSamples)
}

extension DataSource {
    /// The files that samples are read from. None of a folder that cannot be listed: loading from it says why.
    package var files: [String] {
        switch self {
        case .digits, .random: []
        case .npz(let file), .csv(let file): [file]
        case .idx(let directory): (try? IDXFolder(directory))?.paths ?? []
        case .fashionMNIST(let directory):
            (try? IDXFolder(directory ?? FashionMNIST.defaultDirectory))?.paths ?? []
        }
    }

    /// Reads and prepares a part of the source.
    ///
    /// Parts that the source lacks are drawn with ``LoadOptions/splitSeed``, stratified by class; the same options
    /// give the same samples every time.
    ///
    /// - Throws: ``DataError``.
    public func load(_ split: DataSplit, options: LoadOptions = LoadOptions()) throws(DataError) -> Dataset {
        let name = "\(self)/\(split.rawValue)"
        let raw = try selected(split, from: parts(options), options: options)
        return try prepared(raw, name: name, options: options)
    }

    private func parts(_ options: LoadOptions) throws(DataError) -> RawParts {
        switch self {
        case .digits: .undivided(try BundledDigits.load())
        case .fashionMNIST(let directory): try FashionMNIST.parts(directory: directory, options: options)
        case .idx(let directory): try IDXFolder(directory).parts(options)
        case .npz(let file): try NpzSamples.parts(file: file, options: options)
        case .csv(let file): .undivided(try CSVSamples.load(file: file, options: options))
        case .random: .undivided(try RandomSamples.make(options))
        }
    }

    private func selected(
        _ split: DataSplit, from parts: RawParts, options: LoadOptions
    ) throws(DataError) -> Dataset {
        func dataset(_ raw: RawSamples) throws(DataError) -> Dataset {
            try Dataset(name: "\(self)", inputs: raw.inputs, labels: raw.labels, classNames: raw.classNames)
        }
        let training: Dataset
        switch (parts, split) {
        case (.undivided(let raw), .all): return try dataset(raw)
        case (.undivided(let raw), _):
            let whole = try dataset(raw)
            let count = Int((Double(whole.sampleCount) * options.testShare).rounded(.up))
            let (rest, heldOut) = try whole.stratifiedSplit(holdingOut: count, seed: options.splitSeed)
            if split == .test { return heldOut }
            training = rest
        case (.divided(let train, let test), .all):
            return try dataset(train()).joined(with: dataset(test()))
        case (.divided(_, let test), .test): return try dataset(test())
        case (.divided(let train, _), _): training = try dataset(train())
        }
        if split == .train { return training }
        let count = Int((Double(training.sampleCount) * options.validationShare).rounded())
        // A seed of its own: for an undivided source the test part was drawn with the plain one.
        let (fit, validation) = try training.stratifiedSplit(holdingOut: count, seed: options.splitSeed &+ 1)
        return split == .fit ? fit : validation
    }

    /// The inputs as the network takes them: `x` prepared and in `float32`; others, which go by the name of a graph
    /// input, with their integers kept and floating-point numbers in `float32`.
    private func prepared(
        _ raw: Dataset, name: String, options: LoadOptions
    ) throws(DataError) -> Dataset {
        let preprocessing = options.preprocessing ?? defaultPreprocessing
        var inputs = raw.inputs
        // With several inputs and none called x nothing says which one a preparation would be for.
        guard preprocessing == .identity || inputs.count == 1 || inputs.contains(where: { $0.name == "x" })
        else {
            throw DataError(
                .inconsistent, name,
                "there are several inputs and none is called 'x', so preprocessing must be none")
        }
        for index in inputs.indices {
            let values = inputs[index].values
            if inputs[index].name == "x" || (inputs.count == 1 && preprocessing != .identity) {
                inputs[index].values = try preprocessing.apply(to: values, place: name)
            } else if values.dtype.isFloatingPoint {
                inputs[index].values = values.converted(to: .float32)
            }
        }
        return try Dataset(
            name: name, inputs: inputs, labels: raw.labels, classNames: raw.classNames,
            preprocessing: preprocessing)
    }
}

extension Dataset {
    /// These samples and then those of `other`, which must be of the same kind.
    func joined(with other: Dataset) throws(DataError) -> Dataset {
        let inputs = try zip(self.inputs, other.inputs).map { (mine, theirs) throws(DataError) in
            Input(name: mine.name, values: try mine.values.joined(with: theirs.values, place: name))
        }
        let labels: Labels
        switch (self.labels, other.labels) {
        case (.none, .none): labels = .none
        case (.classes(let mine, let count), .classes(let theirs, let otherCount)):
            labels = .classes(mine + theirs, count: max(count, otherCount))
        case (.targets(let mine), .targets(let theirs)):
            labels = .targets(try mine.joined(with: theirs, place: name))
        default: throw DataError(.inconsistent, name, "training and test part have labels of different kinds")
        }
        return try Dataset(
            name: name, inputs: inputs, labels: labels, classNames: classNames, preprocessing: preprocessing)
    }
}

extension Tensor {
    fileprivate func joined(with other: Tensor, place: String) throws(DataError) -> Tensor {
        guard dtype == other.dtype, shape.extents.dropFirst() == other.shape.extents.dropFirst() else {
            throw DataError(
                .inconsistent, place,
                "training and test part differ: \(dtype.rawValue) \(shape) and \(other.dtype.rawValue) \(other.shape)"
            )
        }
        var shape = shape
        shape[0] += other.shape[0]
        return Tensor(shape: shape, dtype: dtype) { target in
            withUnsafeBytes { target.copyMemory(from: $0) }
            other.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[byteCount...]).copyMemory(from: $0)
            }
        }
    }
}
