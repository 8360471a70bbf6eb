package import EspalierTensors

/// Runs an operator by its reference: what happens where there is no kernel.
///
/// Correct for every type and slow; `espalier inspect` and plans name the nodes that run so.
package final class ReferenceKernel: Kernel {
    package let inputLayouts: [Layout]
    package let outputLayouts: [Layout]
    private let signature: Signature
    private let compute: ([Tensor?]) -> Result<[Tensor], OperatorError>
    private var memory = KernelMemory(inputs: [], outputs: [])
    /// Why the last run failed; checked by the executor after each run.
    package private(set) var failure: OperatorError?

    package init(_ operation: any Operator, signature: Signature) {
        self.signature = signature
        inputLayouts = signature.inputs.map { _ in .plain }
        outputLayouts = signature.outputs.map { _ in .plain }
        let outputs = signature.outputs
        compute = { inputs in operation.evaluate(inputs, outputs: outputs) }
    }

    package func bind(_ memory: KernelMemory) { self.memory = memory }

    package func run() {
        let inputs = signature.inputs.enumerated().map { port, facts -> Tensor? in
            guard let facts, let pointer = memory.input(port) else { return nil }
            return Tensor(shape: facts.shape, dtype: facts.dtype) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: bytes.count))
            }
        }
        switch compute(inputs) {
        case .failure(let error): failure = error
        case .success(let tensors):
            failure = nil
            for (port, tensor) in tensors.enumerated() {
                guard let pointer = memory.output(port) else { continue }
                tensor.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
                    pointer.copyMemory(from: base, byteCount: bytes.count)
                }
            }
        }
    }
}

extension Operator {
    /// The reference on tensors, in `Double` if any input is `float64` and in `Float` otherwise, with outputs of the
    /// inferred types. Fails where that would take more memory than the machine has.
    package func evaluate(_ inputs: [Tensor?], outputs: [ValueFacts]) -> Result<[Tensor], OperatorError> {
        // References keep wide numbers and positions of elements, in arrays that double as they grow.
        let bytesPerElement = 64
        let count = inputs.reduce(0) { $0 + ($1?.count ?? 0) } + outputs.reduce(0) { $0 + $1.shape.count }
        if let problem = PhysicalMemory.problem(taking: bytesPerElement * count) {
            return .failure(.unsupported("\(count) elements without a kernel, which \(problem)"))
        }
        func run<Real: ReferenceReal>(_: Real.Type) -> Result<[Tensor], OperatorError> {
            do throws(OperatorError) {
                let call = ReferenceCall<Real>(
                    inputs: inputs.map { $0.map(ReferenceValue.init) }, outputs: outputs)
                return .success(
                    zip(try reference(call), outputs).map { value, facts in value.tensor(as: facts.dtype) })
            } catch {
                return .failure(error)
            }
        }
        let isDouble = inputs.contains { $0?.dtype == .float64 } || outputs.contains { $0.dtype == .float64 }
        return isDouble ? run(Double.self) : run(Float.self)
    }
}
