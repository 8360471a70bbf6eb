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
    /// The most bytes of tensors that `automatic` keeps inside; the rest of 2 GiB is for everything else.
    package var insideByteLimit = 1_900 << 20

    public init(weights: WeightStorage = .automatic) {
        self.weights = weights
    }
}
