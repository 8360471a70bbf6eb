import COnnxRuntime
import EspalierONNX
package import EspalierTensors

/// A model in ONNX Runtime, with inputs in place.
package final class OnnxRuntimeSession {
    private let handle: OpaquePointer
    private let model: String
    private let library: OnnxRuntimeLibrary
    /// The inputs' memory, which the session reads.
    private var inputs: [Tensor] = []

    /// Reads a model with all optimisations on.
    ///
    /// - Parameters:
    ///   - threads: of the pool that it makes; with 1 it computes on the caller's thread.
    ///   - inputs: by name, in the types that the model declares.
    /// - Throws: ``OnnxRuntimeError`` with the library's own words.
    package init(
        _ library: OnnxRuntimeLibrary, model: String, threads: Int, inputs tensors: [String: Tensor]
    ) throws(OnnxRuntimeError) {
        self.library = library
        self.model = model
        handle = try OnnxRuntimeError.checking(model) { message, capacity in
            espalier_ort_session_create(
                library.handle, model, Int32(clamping: threads), message, capacity)
        }
        for index in 0..<espalier_ort_input_count(handle) {
            let name = String(cString: espalier_ort_input_name(handle, index))
            guard let tensor = tensors[name] else {
                throw OnnxRuntimeError(
                    place: model, reason: "it wants an input '\(name)', which is not given")
            }
            try set(tensor, at: index)
        }
    }

    deinit { espalier_ort_session_destroy(handle) }

    private func set(_ tensor: Tensor, at index: Int) throws(OnnxRuntimeError) {
        // The storage is never written to while this holds it, and its address is its own.
        inputs.append(tensor)
        let extents = tensor.shape.extents.map { Int64($0) }
        _ = try OnnxRuntimeError.checking(model) { message, capacity in
            espalier_ort_set_input(
                handle, index, tensor.dtype.onnxCode, extents, extents.count, tensor.storage.base,
                tensor.byteCount, message, capacity) ? true : nil
        }
    }

    /// Computes all outputs.
    package func run() throws(OnnxRuntimeError) {
        _ = try OnnxRuntimeError.checking(model) { message, capacity in
            espalier_ort_run(handle, message, capacity) ? true : nil
        }
    }

    /// Copies of the last run's outputs, by name.
    package func outputs() throws(OnnxRuntimeError) -> [String: Tensor] {
        var outputs: [String: Tensor] = [:]
        for index in 0..<espalier_ort_output_count(handle) {
            outputs[String(cString: espalier_ort_output_name(handle, index))] = try output(index)
        }
        return outputs
    }

    /// More axes than any operator makes.
    private static let mostAxes = 16

    private func output(_ index: Int) throws(OnnxRuntimeError) -> Tensor {
        var type: Int32 = 0
        var extents = [Int64](repeating: 0, count: Self.mostAxes)
        var rank = Self.mostAxes
        var data: UnsafeRawPointer?
        _ = try OnnxRuntimeError.checking(model) { message, capacity in
            espalier_ort_output(handle, index, &type, &extents, &rank, &data, message, capacity) ? true : nil
        }
        guard let dtype = DType(onnxCode: type) else {
            throw OnnxRuntimeError(
                place: model, reason: "output \(index) has elements of ONNX's type \(type)")
        }
        let shape = Shape(extents.prefix(rank).map { Int($0) })
        return Tensor(shape: shape, dtype: dtype) { bytes in
            guard let data else { return }
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: data, count: bytes.count))
        }
    }
}
