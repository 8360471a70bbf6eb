import EspalierKernels
import EspalierTensors

/// What follows a primitive: operations fused behind it, and where their operands lie; and the steps that cannot be
/// fused, which run in place on the result.
struct FusedOperations {
    private let limit: Int

    private(set) var operations: [DNNPostOperation] = []
    private(set) var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = []
    /// The input that output 0 must hold when the primitive starts, which adds to it.
    private(set) var accumulatedInput: Int?
    private var rest: [(step: DNNPostOperation, operand: StagedKernel.Place?)] = []

    /// - Parameter limit: the number of operations that can be fused; oneDNN takes 8.
    init(limit: Int = 8) {
        self.limit = limit
    }

    mutating func append(_ operation: DNNPostOperation, operand: StagedKernel.Place? = nil) {
        guard rest.isEmpty, operations.count < limit, !conflicts(operation) else {
            rest.append((operation, operand))
            return
        }
        if let operand { arguments.append((.postOperand(operations.count), operand)) }
        operations.append(operation)
    }

    /// Appends epilogues, whose addends are the inputs from `addendPort` on and lie as `layout` says.
    ///
    /// - Parameter accumulates: whether a sum is better taken with what the output holds than with another operand.
    mutating func append(
        _ steps: [EpilogueStep], addend layout: DNNLayout, addendPort: Int, accumulates: Bool = false
    ) throws(OperatorError) {
        var port = addendPort
        for step in steps {
            if step == .add, accumulates, accumulatedInput == nil, rest.isEmpty,
                operations.count < limit
            {
                operations.append(.accumulate())
                accumulatedInput = port
                port += 1
            } else if step == .add {
                append(.binary(.add, .layout(layout)), operand: .input(port))
                port += 1
            } else if step == .addVector {
                let extents = layout.shape.extents
                let vector = Shape(extents.dropLast().map { _ in 1 } + extents.suffix(1))
                let operand = try oneDNN { () throws(DNNError) in try DNNOperand.plain(vector) }
                append(.binary(.add, operand), operand: .input(port))
                port += 1
            } else if let operation = step.postOperation {
                append(operation)
            } else {
                throw .unsupported("the fused step \(step)")
            }
        }
    }

    /// Puts what is accumulated into output 0, unless it has taken over that input's memory.
    func addPreload(to builder: inout StagedKernel.Builder, output: DNNLayout) {
        guard let accumulatedInput else { return }
        let byteCount = output.byteCount
        builder.loop([.input(accumulatedInput), .output(0)]) { memory in
            guard let source = memory[0], let target = memory[1], source != target else { return }
            target.copyMemory(from: source, byteCount: byteCount)
        }
    }

    /// Adds the steps that were not fused, after the primitive that writes output 0.
    func addRest(to builder: inout StagedKernel.Builder, output: DNNLayout) throws(OperatorError) {
        for (step, operand) in rest {
            switch step {
            case .elementwise(let function):
                let primitive = try oneDNN { () throws(DNNError) in
                    try DNNPrimitive.elementwise(function, source: output)
                }
                try builder.primitive(primitive, [.source: .output(0), .destination: .output(0)])
            case .binary(let operation, let second):
                let primitive = try oneDNN { () throws(DNNError) in
                    try DNNPrimitive.binary(
                        operation, source: output, secondSource: second ?? .layout(output),
                        destination: output)
                }
                try builder.primitive(
                    primitive,
                    [.source: .output(0), .secondSource: operand ?? .output(0), .destination: .output(0)])
            case .accumulate:
                throw .unsupported("accumulation behind the fused steps")
            }
        }
    }

    /// oneDNN 2.6 applies the first one's parameters to all fused functions of one kind.
    private func conflicts(_ operation: DNNPostOperation) -> Bool {
        guard case .elementwise(let function) = operation else { return false }
        return operations.contains { other in
            guard case .elementwise(let earlier) = other else { return false }
            return earlier.kind == function.kind && earlier != function
        }
    }
}
