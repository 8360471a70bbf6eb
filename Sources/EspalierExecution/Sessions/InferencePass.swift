public import EspalierTensors

/// One inference in a session's own memory: inputs are written and outputs read where the network has them.
///
/// Lent to the body of ``InferenceSession/infer(samples:_:)``, during which no other thread uses that memory. With one
/// thread nothing here allocates; oneDNN, which computes what is dense, allocates a map of some dozen bytes for each of its
/// primitives.
public struct InferencePass: ~Copyable {
    private let plan: InferencePlan
    private let ports: SessionPorts

    init(plan: InferencePlan, ports: SessionPorts) {
        self.plan = plan
        self.ports = ports
    }

    /// Lends the memory of an input to write to: its elements, row-major. What is not written is what was there before.
    ///
    /// - Throws: ``ExecutionError`` if there is no such input or its elements are of another type, and what `body` throws.
    public func withInput<Scalar: TensorScalar, Result>(
        _ name: String, as type: Scalar.Type, _ body: (inout MutableSpan<Scalar>) throws -> Result
    ) throws -> Result {
        guard let id = ports.inputs[name] else {
            throw ExecutionError.unknownInput(name: name, known: ports.inputNames)
        }
        guard let memory = plan.input(id, as: type) else {
            throw ExecutionError.inputMismatch(
                name: name, problem: "its elements are not \(type.dtype.rawValue)")
        }
        var span = memory.mutableSpan
        return try body(&span)
    }

    /// As ``withInput(_:as:_:)``, for an input of `float32`.
    public func withInput<Result>(
        _ name: String, _ body: (inout MutableSpan<Float>) throws -> Result
    ) throws -> Result {
        try withInput(name, as: Float.self, body)
    }

    /// Computes the outputs from what is in the inputs' memory.
    ///
    /// - Throws: ``ExecutionError`` if a value makes a node fail, as an index out of range does.
    public func run() throws(ExecutionError) { try plan.run() }

    /// Lends the memory of an output to read from: the elements that the last ``run()`` made, row-major.
    ///
    /// - Throws: ``ExecutionError`` if there is no such output or its elements are of another type, and what `body` throws.
    public func withOutput<Scalar: TensorScalar, Result>(
        _ name: String, as type: Scalar.Type, _ body: (Span<Scalar>) throws -> Result
    ) throws -> Result {
        guard let memory = plan.outputScalars(try index(ofOutput: name), as: type) else {
            throw ExecutionError.outputMismatch(
                name: name, problem: "its elements are not \(type.dtype.rawValue)")
        }
        return try body(memory.span)
    }

    /// As ``withOutput(_:as:_:)``, for an output of `float32`.
    public func withOutput<Result>(
        _ name: String, _ body: (Span<Float>) throws -> Result
    ) throws -> Result {
        try withOutput(name, as: Float.self, body)
    }

    /// - Throws: ``ExecutionError`` if there is no such output.
    public func shape(ofOutput name: String) throws(ExecutionError) -> Shape {
        plan.outputShape(try index(ofOutput: name))
    }

    private func index(ofOutput name: String) throws(ExecutionError) -> Int {
        guard let index = ports.outputs[name] else {
            throw .unknownOutput(name: name, known: ports.outputNames)
        }
        return index
    }
}
