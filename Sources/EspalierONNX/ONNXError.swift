public import EspalierGraphs

/// Why an ONNX file could not be read or written: what is wrong, in which file and where in it.
///
/// ```swift
/// do { graph = try ONNXModel.load(from: "model.onnx") } catch {
///     if case .externalData = error.reason { ... }
///     print(error)  // model.onnx: initializer 'w': external data: no file 'w.bin' beside the model; ...
/// }
/// ```
public struct ONNXError: Error, Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        /// The operating system refused to open or read a file, or it is not a regular file.
        case unreadable(String)
        /// The operating system refused to create, write or rename a file.
        case unwritable(String)
        /// The bytes are not a protobuf message of the expected kind.
        case malformed(String)
        /// More bytes than one protobuf message can hold (2 GiB).
        case tooLarge(byteCount: Int)
        /// The graph breaks an invariant: a cycle, a value nothing produces or several things produce, ...
        case invalidGraph(GraphError)
        /// Something lacks a part that it must have, or has one too many.
        case invalidStructure(String)
        /// An extent is negative, or the extents multiply to more elements than any tensor may have.
        case invalidShape(dimensions: [Int64])
        /// The element type, an ONNX `DataType` number, has no counterpart in ``DType``.
        case unsupportedElementType(code: Int)
        /// A sparse tensor claims far more memory than a file of its size can justify.
        case excessiveExpansion(byteCount: Int, storedByteCount: Int)
        /// The data given do not fill the declared shape. In bytes of the tensor's element type.
        case wrongDataLength(expected: Int, found: Int)
        /// Elements that the tensor's type cannot hold, or data given in more than one way.
        case invalidData(String)
        /// External data that is missing, too short, or outside the model's folder.
        case externalData(String)
    }

    public var reason: Reason
    /// The file as the caller named it; nil for a model in memory.
    public var file: String?
    /// The node, attribute, tensor or value concerned, as "node 'conv1', attribute 'value'".
    public var element: String?

    package init(_ reason: Reason, file: String? = nil, element: String? = nil) {
        self.reason = reason
        self.file = file
        self.element = element
    }

    /// This error, seen from outside: `element` stands before what the error already names.
    func within(_ element: String) -> ONNXError {
        var error = self
        error.element = error.element.map { "\(element), \($0)" } ?? element
        return error
    }

    /// This error, about `file` unless it already names one.
    func about(file: String?) -> ONNXError {
        var error = self
        error.file = error.file ?? file
        return error
    }
}

extension ONNXError: CustomStringConvertible {
    public var description: String {
        ([file, element].compactMap { $0 } + ["\(reason)"]).joined(separator: ": ")
    }
}

extension ONNXError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let detail): "cannot be read: \(detail)"
        case .unwritable(let detail): "cannot be written: \(detail)"
        case .malformed(let detail):
            "not a valid ONNX file, \(detail); check that it was downloaded or exported completely"
        case .tooLarge(let byteCount):
            "\(byteCount) bytes, but one ONNX file holds at most 2 GiB; store the weights as external data"
        case .invalidGraph(let error): "\(error); the file is damaged, export it again"
        case .invalidStructure(let detail): "\(detail); the file is damaged, export it again"
        case .invalidShape(let dimensions):
            "impossible dimensions \(dimensions.map(String.init).joined(separator: "x")): "
                + "none may be negative, and at most 2^40 elements are accepted"
        case .unsupportedElementType(let code):
            "element type \(code) (a number of ONNX's TensorProto.DataType) is not supported here"
        case .excessiveExpansion(let byteCount, let storedByteCount):
            "it stores \(storedByteCount) bytes of values sparsely, for \(byteCount) bytes: a file's sparse tensors may take "
                + "\(SparseAllowance.excess >> 20) MiB more than \(SparseAllowance.ratio) times their values; "
                + "store it densely"
        case .wrongDataLength(let expected, let found):
            "its shape and type need \(expected) bytes of data, there are \(found); "
                + "the file is damaged or lacks its weights, export it again"
        case .invalidData(let detail): "\(detail); the file is damaged, export it again"
        case .externalData(let detail): "external data: \(detail)"
        }
    }
}

/// Runs `body`, and adds `element` to the error it throws.
func locating<Result>(
    _ element: @autoclosure () -> String, _ body: () throws(ONNXError) -> Result
) throws(ONNXError) -> Result {
    do throws(ONNXError) {
        return try body()
    } catch {
        throw error.within(element())
    }
}
