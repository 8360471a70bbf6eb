import EspalierTensors

/// The input itself, of any type.
package struct Identity: AxisLinking, Differentiable, Lowering {
    package static let schemas = [OperatorSchema("Identity")]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        // Without the constant: a parameter behind an identity is trained, so what it is now is not known for good.
        let input = try inputs.required(0)
        return [ValueFacts(dtype: input.dtype, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        [try call.value(0)]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkElementwise(signature.inputShape(0).rank)
        return links
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        CopyKernel(
            layout: context.inputLayout(0), facts: context.signature.outputs[0], inputCount: 1, from: 0)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let layout = context.outputGradientLayouts.first ?? .plain
        return CopyKernel(
            layout: layout, facts: context.signature.outputs[0], inputCount: context.backwardInputCount,
            from: context.gradientPort())
    }
}

/// Copies one input, in whatever layout, to output 0, unless that is where it already lies; zeros if it has no memory (a
/// gradient that does not flow).
final class CopyKernel: Kernel {
    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    let unreadInputs: Set<Int>
    var inPlaceInput: Int? { source }
    private let source: Int
    private let byteCount: Int
    private var memory = KernelMemory(inputs: [], outputs: [])

    init(layout: Layout, facts: ValueFacts, inputCount: Int, from source: Int) {
        inputLayouts = (0..<inputCount).map { $0 == source ? layout : .plain }
        outputLayouts = [layout]
        unreadInputs = Set(0..<inputCount).subtracting([source])
        self.source = source
        byteCount = layout.byteCount(shape: facts.shape, dtype: facts.dtype)
    }

    func bind(_ memory: KernelMemory) { self.memory = memory }

    func run() {
        guard let output = memory.output(0) else { return }
        guard let input = memory.input(source) else {
            output.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            return
        }
        if input != output { output.copyMemory(from: input, byteCount: byteCount) }
    }
}

extension Identity: BoundedSlope {
    package var largestSlope: Double { 1 }
}

extension Identity: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .sum([0: 1])
    }
}
