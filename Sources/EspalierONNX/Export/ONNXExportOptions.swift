/// How a model is written.
public struct ONNXExportOptions: Sendable {
    public enum WeightStorage: Sendable {
        /// Inside the file, unless that would exceed what one file can hold (2 GiB).
        case automatic
        /// Inside the file.
        case inside
        /// In a second file beside the model, which has the model's name with `.data` appended and must be kept
        /// with it. Tensors under one KiB, such as shapes, stay in the model.
        case external
    }

    public var weights: WeightStorage
    /// Whether constants are written as sparse initializers, by their elements other than zero, where that takes fewer bytes.
    ///
    /// Only the file is smaller: readers make dense tensors of them. Not all read them; ONNX Runtime does. Sparse
    /// initializers stay inside the model's file, also where other weights go to a second one.
    public var usesSparseInitializers: Bool
    /// The most bytes of tensors that `automatic` keeps inside; the rest of 2 GiB is for everything else.
    package var insideByteLimit = 1_900 << 20

    public init(weights: WeightStorage = .automatic, usesSparseInitializers: Bool = false) {
        self.weights = weights
        self.usesSparseInitializers = usesSparseInitializers
    }
}
