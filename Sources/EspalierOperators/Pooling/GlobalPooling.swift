import EspalierGraphs
import EspalierKernels
import EspalierTensors

/// Pooling of all positions of a channel to one.
protocol GlobalPooling: AxisLinking, Differentiable, Lowering {
    static var kind: DNNPooling.Kind { get }
    func pooled<Real: ReferenceReal>(_ elements: ArraySlice<Real>) -> Real
}

extension GlobalPooling {
    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else { throw .input(0, problem: "pooling of \(input.dtype)") }
        guard input.shape.rank >= 3, !input.shape.extents[2...].contains(0) else {
            throw .input(0, problem: "\(input.shape) has no positions to pool")
        }
        let ones = [Int](repeating: 1, count: input.shape.rank - 2)
        return [ValueFacts(dtype: input.dtype, shape: Shape(Array(input.shape.extents[..<2]) + ones))]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        guard let output = call.outputs.first?.shape else { return [] }
        let plane = input.shape.count(2..<input.shape.rank)
        let elements = (0..<output.count).map { pooled(input.elements[($0 * plane)..<(($0 + 1) * plane)]) }
        return [.real(NDArray(shape: output, elements: elements))]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        .channelwise(signature, reason: "all positions are pooled to one")
    }
}
