internal import EspalierArchives
internal import EspalierTensors

/// Samples in a NumPy archive: `y` are the labels, every other array is the input of its name.
///
/// Archives with `x_train`, `y_train`, `x_test` and `y_test`, as Keras distributes them, have both parts.
enum NpzSamples {
    static func parts(file: String, options: LoadOptions) throws(DataError) -> RawParts {
        let archive = try translatingArchiveErrors { () throws(ArchiveError) in
            try NpzArchive(contentsOf: file)
        }
        if archive.names.contains("x_train"), archive.names.contains("x_test") {
            let options = try withClassCount(of: archive, file: file, options)
            return .divided(
                train: { () throws(DataError) in try part("train", of: archive, file: file, options) },
                test: { () throws(DataError) in try part("test", of: archive, file: file, options) })
        }
        let inputNames = archive.names.filter { $0 != "y" || options.labelKind == .absent }
        guard !inputNames.isEmpty else {
            throw DataError(.malformed, file, "no array 'x', and none with the name of an input")
        }
        let inputs = try inputNames.map { name throws(DataError) in
            Dataset.Input(name: name, values: try tensor(name, of: archive))
        }
        return .undivided(
            RawSamples(inputs: inputs, labels: try labels("y", of: archive, file: file, options)))
    }

    private static func part(
        _ part: String, of archive: NpzArchive, file: String, _ options: LoadOptions
    ) throws(DataError) -> RawSamples {
        RawSamples(
            inputs: [Dataset.Input(name: "x", values: try tensor("x_\(part)", of: archive))],
            labels: try labels("y_\(part)", of: archive, file: file, options))
    }

    private static func labels(
        _ name: String, of archive: NpzArchive, file: String, _ options: LoadOptions
    ) throws(DataError) -> Dataset.Labels {
        guard archive.names.contains(name), options.labelKind != .absent else { return .none }
        return try LabelReading.labels(tensor(name, of: archive), options, place: "\(file): \(name)")
    }

    /// A part need not show every class: the count is that of both.
    private static func withClassCount(
        of archive: NpzArchive, file: String, _ options: LoadOptions
    ) throws(DataError) -> LoadOptions {
        var options = options
        guard options.classCount == nil else { return options }
        var count: Int?
        for part in ["train", "test"] {
            if case .classes(_, let classes) = try labels("y_\(part)", of: archive, file: file, options) {
                count = max(count ?? 0, classes)
            }
        }
        options.classCount = count
        return options
    }

    private static func tensor(_ name: String, of archive: NpzArchive) throws(DataError) -> Tensor {
        try translatingArchiveErrors { () throws(ArchiveError) in try archive.tensor(name) }
    }
}
