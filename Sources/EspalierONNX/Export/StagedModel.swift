public import EspalierGraphs
import EspalierTensors

/// A model that is written completely, but to temporary files. Dropped without ``commit()``, it leaves nothing.
///
/// ```swift
/// let staged = try ONNXModel.stage(graph, at: "slim.onnx")
/// try compare(staged.reimported(), with: graph)
/// try staged.commit()
/// ```
public struct StagedModel: ~Copyable {
    private let path: String
    private let model: TemporaryFile
    private let data: TemporaryFile?
    private let dataLocation: String?

    init(_ graph: Graph, path: String, options: ONNXExportOptions) throws(ONNXError) {
        let name = splitPath(path).name
        let sparse =
            options.usesSparseInitializers
            ? try SparseSelection(of: graph, limit: options.insideByteLimit) : SparseSelection()
        let isExternal =
            switch options.weights {
            case .inside: false
            case .external: true
            case .automatic: sparse.insideByteCount(of: graph) > options.insideByteLimit
            }
        let layout =
            isExternal
            ? ExternalDataLayout(of: graph, location: "\(name).data", inside: sparse.ids) : nil
        let placement = layout.map { ModelWriter.Placement.external($0) } ?? .inside
        let bytes = try encode(try ModelWriter(graph: graph, placement: placement, sparse: sparse).message())

        let model = try TemporaryFile(for: path)
        try model.write(bytes)
        try model.finishWriting()
        var data: TemporaryFile?
        if let layout, !layout.offsets.isEmpty {
            let file = try TemporaryFile(for: "\(path).data")
            try layout.write(graph, to: file)
            try file.finishWriting()
            data = file
        }
        self.path = path
        self.model = model
        self.data = data
        dataLocation = layout?.location
    }

    /// The model as it will be read from the files.
    ///
    /// - Throws: ``ONNXError``.
    public func reimported() throws(ONNXError) -> Graph {
        var external = ExternalDataReader(directory: splitPath(path).folder)
        if let dataLocation, let dataPath = data?.path { external.substitutes[dataLocation] = dataPath }
        return try ONNXModel.load(from: model.path, named: path, external: external)
    }

    /// Gives the files their names, replacing files which had them; the model's own comes last.
    ///
    /// - Throws: ``ONNXError``.
    public consuming func commit() throws(ONNXError) {
        do throws(ONNXError) {
            try data?.commit()
            try model.commit()
        } catch {
            throw error.about(file: path)
        }
    }
}
