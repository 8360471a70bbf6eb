/// Where samples come from, as the command line names it.
///
/// ```swift
/// let source = try DataSource("npz:measurements.npz")
/// let training = try source.load(.train)
/// ```
public enum DataSource: Sendable, Hashable {
    /// 1,797 images of handwritten digits, [1, 8, 8], part of the program.
    case digits
    /// 70,000 images of clothes, [1, 28, 28] (Xiao, Rasul & Vollgraf 2017); nil: the Debian package's folder.
    case fashionMNIST(directory: String?)
    /// A folder with files in MNIST's format, compressed or not.
    case idx(directory: String)
    /// A NumPy archive with `x` or arrays named as the network's inputs, and `y`.
    case npz(file: String)
    /// A table of numbers, of which the last column is the label.
    case csv(file: String)
    /// Noise in the shape that the network takes, which the caller says.
    case random

    /// The source that `text` names.
    ///
    /// - Throws: ``DataError`` `unknownSource` with the names that exist; `unsupported` for image folders.
    public init(_ text: String) throws(DataError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let kind = parts.first ?? ""
        let argument = parts.count > 1 ? parts[1] : nil
        func required(_ what: String) throws(DataError) -> String {
            guard let argument, !argument.isEmpty else {
                throw DataError(
                    .unknownSource, "data '\(text)'", "'\(kind)' needs \(what): \(kind):\(what.uppercased())")
            }
            return argument
        }
        func none() throws(DataError) {
            guard argument == nil else {
                throw DataError(.unknownSource, "data '\(text)'", "nothing can follow '\(kind)'")
            }
        }
        switch kind {
        case "digits":
            try none()
            self = .digits
        case "random":
            try none()
            self = .random
        case "fashion-mnist": self = .fashionMNIST(directory: argument == nil ? nil : try required("dir"))
        case "idx": self = .idx(directory: try required("dir"))
        case "npz": self = .npz(file: try required("file"))
        case "csv": self = .csv(file: try required("file"))
        case "images":
            throw DataError(
                .unsupported, "data '\(text)'",
                "folders of images are not read yet: store them as arrays 'x' [samples, channels, height, width] and "
                    + "'y' with numpy.savez and use npz:FILE")
        default:
            throw DataError(
                .unknownSource, "data '\(text)'", "is none of \(Self.forms.joined(separator: ", "))")
        }
    }

    /// How each source is written, for help texts.
    public static let forms = [
        "digits", "fashion-mnist[:DIR]", "idx:DIR", "npz:FILE", "csv:FILE", "random",
    ]

    /// The preparation that this source's raw values want if nothing else is said: small positive numbers.
    public var defaultPreprocessing: Preprocessing {
        switch self {
        case .digits: Preprocessing(scale: 1 / 16)
        case .fashionMNIST, .idx: Preprocessing(scale: 1 / 255)
        case .npz, .csv, .random: .identity
        }
    }
}

extension DataSource: CustomStringConvertible {
    /// The text that names this source.
    public var description: String {
        switch self {
        case .digits: "digits"
        case .fashionMNIST(nil): "fashion-mnist"
        case .fashionMNIST(let directory?): "fashion-mnist:\(directory)"
        case .idx(let directory): "idx:\(directory)"
        case .npz(let file): "npz:\(file)"
        case .csv(let file): "csv:\(file)"
        case .random: "random"
        }
    }
}

/// A part of a data source.
public enum DataSplit: String, Sendable, Hashable, Codable, CaseIterable {
    /// Everything.
    case all
    /// What may be trained on: all but ``test``.
    case train
    /// What a result is reported on, and nothing is ever decided by.
    case test
    /// ``train`` without ``validation``.
    case fit
    /// A stratified part of ``train`` by which choices are made: when to stop, which criterion to use.
    case validation
}
