public import EspalierGraphs

/// Reads and writes models in the ONNX format.
///
/// Any operator set is read, and operators need not be known: their nodes are kept with all that the file says
/// about them. So are fields that this software does not know, functions, and training information.
///
/// ```swift
/// let graph = try ONNXModel.load(from: "model.onnx")
/// try ONNXModel.write(graph, to: "copy.onnx")
/// ```
///
/// What changes on the way through a ``Graph``:
/// - `Constant` nodes become constants of the graph, and are written as initializers.
/// - Initializers that are listed as inputs too are constants only, and are no longer listed; so files of IR
///   version 3 and before become IR version 4, which allows that.
/// - Sparse initializers and `Constant` nodes' sparse values become ordinary constants. What is written sparsely is decided
///   when it is.
/// - Data in external files are read when they are used, if they are many: the files may be replaced, but must not be
///   shortened or overwritten while the graph or a session of it lives. Where they are written is decided when they are.
public enum ONNXModel {
    /// Reads the model at `path`, and its external data from files below the same folder.
    ///
    /// - Throws: ``ONNXError``. Files are data from outside: whatever the bytes are, there is a graph that keeps
    ///   the invariants or an error, and no more memory is taken than the bytes that are there justify.
    public static func load(from path: String) throws(ONNXError) -> Graph {
        try load(from: path, named: path, external: ExternalDataReader(directory: splitPath(path).folder))
    }

    /// Reads a model from memory.
    ///
    /// - Parameter baseDirectory: The folder that external data lie in. Without one, a model that needs some is
    ///   refused.
    /// - Throws: ``ONNXError``, as ``load(from:)``.
    public static func load(bytes: [UInt8], baseDirectory: String? = nil) throws(ONNXError) -> Graph {
        try ModelReader.read(bytes, external: ExternalDataReader(directory: baseDirectory))
    }

    static func load(
        from path: String, named name: String, external: ExternalDataReader
    ) throws(ONNXError) -> Graph {
        do throws(ONNXError) {
            return try ModelReader.read(try readMessageFile(path), external: external)
        } catch {
            throw error.about(file: name)
        }
    }

    /// The bytes of a .onnx file with all weights inside.
    ///
    /// The same graph always gives the same bytes.
    ///
    /// - Parameter usesSparseInitializers: as in ``ONNXExportOptions``.
    /// - Throws: ``ONNXError`` if they would be more than 2 GiB.
    public static func serialized(
        _ graph: Graph, usesSparseInitializers: Bool = false
    ) throws(ONNXError) -> [UInt8] {
        let sparse =
            usesSparseInitializers
            ? try SparseSelection(of: graph, limit: messageByteLimit) : SparseSelection()
        return try encode(try ModelWriter(graph: graph, placement: .inside, sparse: sparse).message())
    }

    /// Writes the model to `path`, replacing a file of that name only when the new one is complete.
    ///
    /// For `onnx.checker` to accept the file, the graph's inputs and outputs need declared types.
    ///
    /// - Throws: ``ONNXError``; then there is no new file, and an old one is untouched.
    public static func write(
        _ graph: Graph, to path: String, options: ONNXExportOptions = ONNXExportOptions()
    ) throws(ONNXError) {
        let staged = try stage(graph, at: path, options: options)
        try staged.commit()
    }

    /// Writes the model to a temporary file beside `path`, so that it can be read back and compared before it takes
    /// its name with ``StagedModel/commit()``.
    ///
    /// - Throws: ``ONNXError``.
    public static func stage(
        _ graph: Graph, at path: String, options: ONNXExportOptions = ONNXExportOptions()
    ) throws(ONNXError) -> StagedModel {
        do throws(ONNXError) {
            return try StagedModel(graph, path: path, options: options)
        } catch {
            throw error.about(file: path)
        }
    }
}

/// The bytes of a file that holds one protobuf message.
func readMessageFile(_ path: String) throws(ONNXError) -> [UInt8] {
    let file = try ReadableFile(path: path)
    guard file.byteCount <= messageByteLimit else {
        throw ONNXError(.tooLarge(byteCount: file.byteCount))
    }
    return try file.bytes(at: 0, count: file.byteCount)
}
