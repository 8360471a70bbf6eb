internal import EspalierTensors
internal import Foundation

/// A folder with the four files of an MNIST-like data set: images and labels, for training and test.
struct IDXFolder {
    let directory: String
    private let files: [String]

    /// - Throws: ``DataError`` `unreadable`.
    init(_ directory: String) throws(DataError) {
        self.directory = directory
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw DataError(.unreadable, directory, "cannot list the folder: \(error.localizedDescription)")
        }
    }

    /// The paths of the files that can be read from it.
    var paths: [String] {
        [Part.train, .test].flatMap { part in
            ["images", "labels"].flatMap { kind in matching(part, kind).map { path(of: $0) } }
        }
    }

    func parts(_ options: LoadOptions, classNames: [String] = []) throws(DataError) -> RawParts {
        // Test labels need not show every class: the count is that of both parts.
        var count = options.classCount
        if count == nil && options.labelKind != .absent {
            for part in [Part.train, .test] {
                if case .classes(_, let classes) = try labels(part, count: nil) {
                    count = max(count ?? 0, classes)
                }
            }
        }
        let known = count
        func samples(_ part: Part) throws(DataError) -> RawSamples {
            let labels = options.labelKind == .absent ? Dataset.Labels.none : try labels(part, count: known)
            return RawSamples(
                inputs: [Dataset.Input(name: "x", values: try images(part))], labels: labels,
                classNames: classNames)
        }
        return .divided(
            train: { () throws(DataError) in try samples(.train) },
            test: { () throws(DataError) in try samples(.test) })
    }

    private enum Part: String {
        case train, test

        /// How the names of its files start; some collections put their own name before.
        var marks: [String] { self == .train ? ["train"] : ["t10k", "test"] }
    }

    /// The images, [samples, channels, height, width]; a file without channels has one.
    private func images(_ part: Part) throws(DataError) -> Tensor {
        let raw = try IDX.read(path(part, "images"))
        guard raw.shape.rank == 3 else { return raw }
        return raw.reshaped(to: [raw.shape[0], 1, raw.shape[1], raw.shape[2]])
    }

    private func labels(_ part: Part, count: Int?) throws(DataError) -> Dataset.Labels {
        let path = try path(part, "labels")
        let raw = try IDX.read(path)
        guard raw.shape.rank == 1, !raw.dtype.isFloatingPoint else {
            throw DataError(.malformed, path, "labels must be whole numbers in one axis, not \(raw.shape)")
        }
        return try LabelReading.classes(raw.scalars(as: Int64.self), count: count) { "\(path): label \($0)" }
    }

    /// The one file of this kind, which names as `train-images-idx3-ubyte.gz` tell.
    private func path(_ part: Part, _ kind: String) throws(DataError) -> String {
        let matching = matching(part, kind)
        guard matching.count == 1, let file = matching.first else {
            throw DataError(
                .unreadable, directory,
                matching.isEmpty
                    ? "no file such as \(part.marks[0])-\(kind)-idx\(kind == "images" ? 3 : 1)-ubyte.gz"
                    : "several files of \(part.rawValue) \(kind): \(matching.joined(separator: ", "))")
        }
        return path(of: file)
    }

    private func matching(_ part: Part, _ kind: String) -> [String] {
        files.filter { name in
            name.contains("idx") && name.contains(kind) && part.marks.contains { name.contains($0) }
        }
    }

    private func path(of file: String) -> String {
        URL(fileURLWithPath: directory).appendingPathComponent(file).path
    }
}

/// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 and 10,000 grey images of clothes in ten classes.
enum FashionMNIST {
    /// Where Debian's package puts it.
    static let defaultDirectory = "/usr/share/datasets/fashion-mnist"

    private static let classNames = [
        "t-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
    ]

    static func parts(directory: String?, options: LoadOptions) throws(DataError) -> RawParts {
        let folder: IDXFolder
        do { folder = try IDXFolder(directory ?? defaultDirectory) } catch {
            guard directory == nil else { throw error }
            throw DataError(
                .unreadable, defaultDirectory,
                "Fashion-MNIST is not installed: 'apt-get install dataset-fashion-mnist', or name the folder of its "
                    + "four files with fashion-mnist:DIR")
        }
        var options = options
        options.classCount = classNames.count
        return try folder.parts(options, classNames: classNames)
    }
}
