import EspalierEfficiency
public import EspalierExecution
import EspalierONNX

extension InferenceSession {
    /// A session for a model from a file.
    ///
    /// The layers whose zeros are left out are chosen by what kernels cost on this machine, if `espalier bench` has measured it
    /// before, otherwise by what they cost on typical ones.
    ///
    /// ```swift
    /// let session = try InferenceSession(model: "sparse.onnx")
    /// let best = try session.infer { pass in
    ///     try pass.withInput("x") { pixels in fill(&pixels) }
    ///     try pass.run()
    ///     return try pass.withOutput("logits") { logits in argmax(logits) }
    /// }
    /// ```
    ///
    /// - Throws: ``ONNXError`` if there is no such model, and ``ExecutionError`` as ``init(graph:options:)``.
    public convenience init(model path: String, options: Options = Options()) throws {
        try self.init(graph: try ONNXModel.load(from: path), options: options.forThisMachine())
    }
}

extension InferenceSession.Options {
    /// With what `espalier bench` has measured on this machine, if it has: what ``InferenceSession/init(model:options:)`` does.
    public func forThisMachine() -> Self {
        var options = self
        options.costs = costs ?? CalibrationStore.standard.model(keptFor: .current(threads: threads))
        return options
    }
}
