package import EspalierTensors

/// Files that hold one `TensorProto`, such as the inputs and expected outputs of ONNX's own test cases.
package enum ONNXTensorFile {
    /// The tensor in the file at `path`.
    ///
    /// - Parameter declared: What the model declares the value to be. The official cases were written with software
    ///   that had no bfloat16, and hold such elements as 16-bit integers; they become what is declared.
    /// - Throws: ``ONNXError``, among others for strings and complex numbers.
    package static func load(_ path: String, declared: DType? = nil) throws(ONNXError) -> Tensor {
        do throws(ONNXError) {
            let message = try decode(TensorProto.self, from: try readMessageFile(path))
            let external = ExternalDataReader(directory: splitPath(path).folder)
            let tensor = try locating("tensor '\(message.name)'") { () throws(ONNXError) in
                try TensorReader(external: external).read(message)
            }
            guard declared == .bfloat16, tensor.dtype == .uint16 else { return tensor }
            return Tensor(shape: tensor.shape, dtype: .bfloat16) { destination in
                tensor.withUnsafeBytes { destination.copyMemory(from: $0) }
            }
        } catch {
            throw error.about(file: path)
        }
    }
}
