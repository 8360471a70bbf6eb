import EspalierTensors

/// In which layouts values that broadcast to each other meet, and the loops over them.
///
/// Each operand stays as it is if it has strides (row-major, channels last); the output lies as the operand that has
/// its shape. Blocks are given up.
struct BroadcastPlacement {
    let inputs: [Layout]
    let output: Layout
    let plan: BroadcastPlan

    init(_ shapes: [Shape], offered: [Layout], output: Shape) {
        let inputs = shapes.enumerated().map { port, shape in
            (offered.indices.contains(port) ? offered[port] : .plain).withStrides(of: shape)
        }
        let whole = shapes.indices.filter { shapes[$0] == output }
        let leader = whole.first { inputs[$0] != .plain } ?? whole.first
        self.init(shapes, inputs: inputs, output, leader.map { inputs[$0] } ?? .plain)
    }

    /// As it was for the forward kernel.
    init(_ shapes: [Shape], as forward: any Kernel, output: Shape) {
        let inputs = shapes.enumerated().map { forward.inputLayouts[$0].withStrides(of: $1) }
        self.init(shapes, inputs: inputs, output, forward.outputLayouts[0].withStrides(of: output))
    }

    private init(_ shapes: [Shape], inputs: [Layout], _ outputShape: Shape, _ output: Layout) {
        self.inputs = inputs
        self.output = output
        plan = BroadcastPlan(
            zip(shapes, inputs).map { BroadcastPlan.Operand($0, strides: $1.strides(of: $0)) },
            output: BroadcastPlan.Operand(outputShape, strides: output.strides(of: outputShape)))
    }
}

/// A kernel from a closure, in given layouts.
final class BroadcastKernel: Kernel {
    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    let scratchByteCount: Int
    let unreadInputs: Set<Int>
    let inPlaceInput: Int?
    private let body: (borrowing KernelMemory) -> Void
    private var memory = KernelMemory(inputs: [], outputs: [])

    /// - Parameter body: may not allocate.
    init(
        inputs: [Layout], outputs: [Layout], scratchByteCount: Int = 0, unreadInputs: Set<Int> = [],
        inPlaceInput: Int? = nil, body: @escaping (borrowing KernelMemory) -> Void
    ) {
        inputLayouts = inputs
        outputLayouts = outputs
        self.scratchByteCount = scratchByteCount
        self.unreadInputs = unreadInputs
        self.inPlaceInput = inPlaceInput
        self.body = body
    }

    /// A forward kernel.
    convenience init(
        _ placement: BroadcastPlacement, inPlaceInput: Int? = nil,
        body: @escaping (borrowing KernelMemory) -> Void
    ) {
        self.init(
            inputs: placement.inputs, outputs: [placement.output], inPlaceInput: inPlaceInput, body: body)
    }

    func bind(_ memory: KernelMemory) { self.memory = memory }
    func run() { body(memory) }
}
