import EspalierArchives
package import EspalierGraphs
package import EspalierTensors

/// Inputs to run a network on, by name.
package struct ModelInputs: Sendable {
    package var tensors: [String: Tensor]
    /// Arrays of the file which the network has no input for.
    package var unused: [String] = []

    package init(tensors: [String: Tensor]) {
        self.tensors = tensors
    }

    /// Random numbers in the declared shapes: standard normal where they are real, else 0 and 1, which are valid as an
    /// index, a token and a mask alike.
    ///
    /// - Parameters:
    ///   - shapes: complete shapes for inputs whose declared ones are open.
    ///   - samples: the extent of axis 0 where that is open.
    /// - Throws: ``ModelInputError/openShape(name:declared:)`` if any other extent is open.
    package static func random(
        for graph: Graph, shapes: [ValueID: Shape] = [:], samples: Int, seed: UInt64
    ) throws(ModelInputError) -> ModelInputs {
        let random = RandomSource(seed: seed).split("model inputs")
        var tensors: [String: Tensor] = [:]
        for id in graph.inputs {
            let name = graph.name(of: id)
            let type = graph.values[id]?.type
            let shape: Shape
            if let given = shapes[id] {
                shape = given
            } else {
                shape = try closed(type?.dimensions, samples: samples, name: name)
            }
            guard let count = shape.checkedCount(limit: mostValues) else {
                throw .tooLarge(name: name, shape: shape)
            }
            var stream = random.split(name)
            let dtype = type?.dtype ?? .float32
            let values =
                dtype.isFloatingPoint
                ? Tensor(shape: shape, scalars: (0..<count).map { _ in Float(stream.normal()) })
                : Tensor(shape: shape, scalars: (0..<count).map { _ in UInt8(stream.next() >> 63) })
            tensors[name] = values.converted(to: dtype)
        }
        return ModelInputs(tensors: tensors)
    }

    /// More values than that are a mistake in a shape.
    private static let mostValues = 1 << 32

    private static func closed(
        _ dimensions: [Dimension]?, samples: Int, name: String
    ) throws(ModelInputError) -> Shape {
        guard let dimensions else { throw .openShape(name: name, declared: nil) }
        var extents: [Int] = []
        for (axis, dimension) in dimensions.enumerated() {
            switch dimension {
            case .fixed(let extent): extents.append(extent)
            case .symbolic, .unknown:
                guard axis == 0 else { throw .openShape(name: name, declared: dimensions) }
                extents.append(samples)
            }
        }
        return Shape(extents)
    }

    /// The arrays of a NumPy file: of an archive those that are called like an input, or for a network with one input
    /// `x` or the only one there is.
    ///
    /// - Throws: ``ModelInputError``.
    package static func file(_ path: String, for graph: Graph) throws(ModelInputError) -> ModelInputs {
        let names = graph.inputs.map(graph.name(of:))
        let bytes = try reading { () throws(ArchiveError) in try FileBytes.read(path) }
        // An archive is a zip file, a single array is not.
        guard bytes.starts(with: [0x50, 0x4B]) else {
            let array = try reading { () throws(ArchiveError) in try Npy.decode(bytes[...], place: path) }
            guard let name = names.first, names.count == 1 else {
                throw .severalInputs(names: names, file: path)
            }
            return ModelInputs(tensors: [name: array])
        }
        let archive = try reading { () throws(ArchiveError) in try NpzArchive(bytes, place: path) }
        var sources = Dictionary(uniqueKeysWithValues: names.map { ($0, $0) })
        if let name = names.first, names.count == 1, !archive.names.contains(name) {
            if archive.names.contains("x") {
                sources[name] = "x"
            } else if let only = archive.names.first, archive.names.count == 1 {
                sources[name] = only
            }
        }
        var inputs = ModelInputs(tensors: [:])
        for name in names {
            guard let source = sources[name], archive.names.contains(source) else {
                throw .missing(name: name, file: path, arrays: archive.names)
            }
            inputs.tensors[name] = try reading { () throws(ArchiveError) in try archive.tensor(source) }
        }
        inputs.unused = archive.names.filter { !sources.values.contains($0) }
        return inputs
    }

    private static func reading<Result>(
        _ body: () throws(ArchiveError) -> Result
    ) throws(ModelInputError) -> Result {
        do throws(ArchiveError) { return try body() } catch { throw .unreadable("\(error)") }
    }
}

/// Why a network has no inputs to run on.
package enum ModelInputError: Error, Sendable, Equatable {
    /// Random inputs need a shape that the model does not tell.
    case openShape(name: String, declared: [Dimension]?)
    case tooLarge(name: String, shape: Shape)
    case unreadable(String)
    case missing(name: String, file: String, arrays: [String])
    case severalInputs(names: [String], file: String)
    case batch(String)
}

extension ModelInputError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .openShape(let name, nil):
            "input '\(name)' has no declared shape: give it, as in --shape \(name)=1x3x224x224"
        case .openShape(let name, let declared?):
            "input '\(name)' is declared as \(declared.text): give its shape, as in --shape \(name)=\(Self.example(declared))"
        case .tooLarge(let name, let shape): "input '\(name)' of shape \(shape) is too large"
        case .unreadable(let problem): problem
        case .missing(let name, let file, let arrays):
            "\(file): no array for the model's input '\(name)'; there is \(Self.list(arrays))"
        case .severalInputs(let names, let file):
            "\(file): one array, but the model has the inputs \(Self.list(names)); store them in an .npz archive by name"
        case .batch(let problem): problem
        }
    }

    private static func list(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: ", ")
    }

    private static func example(_ declared: [Dimension]) -> String {
        declared.enumerated().map { axis, dimension in
            if case .fixed(let extent) = dimension { "\(extent)" } else { axis == 0 ? "1" : "224" }
        }.joined(separator: "x")
    }
}

extension [Dimension] {
    /// As `Nx1x28x28`, with a question mark for extents of which nothing is known.
    package var text: String {
        if isEmpty { return "scalar" }
        return map { dimension in
            switch dimension {
            case .fixed(let extent): "\(extent)"
            case .symbolic(let name): name
            case .unknown: "?"
            }
        }.joined(separator: "x")
    }
}
