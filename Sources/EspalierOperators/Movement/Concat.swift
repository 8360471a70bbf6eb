import EspalierGraphs
import EspalierTensors

/// Lays its inputs end to end along one axis.
package struct Concat: AxisLinking {
    package static let schemas = [OperatorSchema("Concat", since: 4)]

    private let axis: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        guard let axis = try attributes.int("axis") else { throw .missingAttribute("axis") }
        self.axis = axis
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        var output = try inputs.required(0)
        let axis = try output.shape.requireAxis(axis)
        for port in 1..<max(1, inputs.count) {
            let other = try inputs.required(port)
            guard other.dtype == output.dtype else {
                throw .input(port, problem: "\(other.dtype) cannot be joined to \(output.dtype)")
            }
            var expected = output.shape
            guard other.shape.rank == expected.rank else {
                throw .input(port, problem: "\(other.shape) cannot be joined to \(expected)")
            }
            expected[axis] = other.shape[axis]
            let (sum, overflow) = output.shape[axis].addingReportingOverflow(other.shape[axis])
            guard other.shape == expected, !overflow else {
                throw .input(
                    port, problem: "\(other.shape) cannot be joined to \(output.shape) on axis \(axis)")
            }
            output.shape[axis] = sum
        }
        return [ValueFacts(dtype: output.dtype, shape: output.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        var shapes: [Shape] = []
        for port in call.inputs.indices { shapes.append(try call.value(port).shape) }
        guard let first = shapes.first else { throw .missingInput(0) }
        let axis = try first.requireAxis(axis)
        let outer = first.count(0..<axis)
        let widths = shapes.map { $0.count(axis..<$0.rank) }
        var shape = first
        shape[axis] = shapes.reduce(0) { $0 + $1[axis] }
        func joined<Element>(_ parts: [[Element]]) -> NDArray<Element> {
            var elements: [Element] = []
            for row in 0..<outer {
                for (part, width) in zip(parts, widths) {
                    elements += part[(row * width)..<((row + 1) * width)]
                }
            }
            return NDArray(shape: shape, elements: elements)
        }
        switch try call.value(0) {
        case .real:
            var parts: [[Real]] = []
            for port in shapes.indices { parts.append(try call.real(port).elements) }
            return [.real(joined(parts))]
        case .integer:
            var parts: [[Int64]] = []
            for port in shapes.indices { parts.append(try call.integer(port).elements) }
            return [.integer(joined(parts))]
        case .unsigned:
            var parts: [[UInt64]] = []
            for port in shapes.indices { parts.append(try call.unsigned(port).elements) }
            return [.unsigned(joined(parts))]
        case .boolean:
            var parts: [[Bool]] = []
            for port in shapes.indices { parts.append(try call.boolean(port).elements) }
            return [.boolean(joined(parts))]
        }
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        guard let joined = signature.outputShape().normalized(axis: axis) else { return links }
        var offset = 0
        for port in signature.inputs.indices {
            let shape = signature.inputShape(port)
            // Nothing of an input without elements arrives in the output.
            for axis in 0..<shape.rank where axis != joined || shape[axis] > 0 {
                let map: IndexMap = axis == joined ? .offset(offset) : .identity
                links.link(.input(port, axis: axis), .output(0, axis: axis), map)
            }
            offset += shape[joined]
        }
        return links
    }
}

// MARK: - Kernels

extension Concat: Lowering, Differentiable {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    /// If any input comes with its channels last, all do, and the output too.
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let shapes = signature.inputs.indices.map { signature.inputShape($0) }
        var inputs = shapes.map { _ in Layout.plain }
        var output = Layout.plain
        if context.inputLayouts.contains(where: { $0 != .plain }), signature.outputs[0].dtype == .float32 {
            for (port, shape) in shapes.enumerated() { inputs[port] = try .channelsLast(shape) }
            output = try .channelsLast(signature.outputShape())
        }
        let moves = try moves(signature, inputs: inputs, output: output)
        let width = signature.outputs[0].dtype.byteCount
        return PlainKernel(inputLayouts: inputs, outputLayouts: [output]) { memory in
            guard let target = memory.output(0) else { return }
            for (port, move) in moves.enumerated() {
                guard let source = memory.input(port) else { continue }
                move.copy(from: source, to: target, width: width)
            }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let (inputs, output) = (context.forward.inputLayouts, context.forward.outputLayouts[0])
        let moves = try moves(context.signature, inputs: inputs, output: output).map(\.reversed)
        let port = context.gradientPort()
        return PlainKernel(
            inputLayouts: [Layout](repeating: .plain, count: port) + [output], outputLayouts: inputs,
            unreadInputs: Set(0..<port)
        ) { memory in
            guard let gradient = memory.input(port) else { return }
            for (input, move) in moves.enumerated() {
                guard let target = memory.output(input) else { continue }
                move.copy(from: gradient, to: target, width: 4)
            }
        }
    }

    /// For each input, where its elements go.
    private func moves(
        _ signature: Signature, inputs: [Layout], output: Layout
    ) throws(OperatorError) -> [StridedMove] {
        let shape = signature.outputShape()
        let axis = try shape.requireAxis(axis)
        let target = try output.requireStrides(shape)
        var moves: [StridedMove] = []
        var offset = 0
        for (port, layout) in inputs.enumerated() {
            let shape = signature.inputShape(port)
            moves.append(
                StridedMove(
                    extents: shape.extents, source: try layout.requireStrides(shape), target: target,
                    targetOffset: offset, order: .target))
            offset += shape[axis] * target[axis]
        }
        return moves
    }
}

// MARK: - Bounds

extension Concat: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        LipschitzRule(.parts, Dictionary(uniqueKeysWithValues: varying.map { ($0, 1) }))
    }
}

extension Concat: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        let rank = signature.outputShape().rank
        let axis = try signature.outputShape().requireAxis(axis)
        let constants = signature.inputs.indices.filter { !varying.contains($0) }
        let addends = Dictionary(uniqueKeysWithValues: constants.map { ($0, Float(1)) })
        // Constants have extents of their own.
        let isLocal = axis == 1 && rank > 2 && constants.isEmpty
        return .affine(
            AffinePropagation(
                isLocal ? .position : .sample, addends: addends, roundings: 0,
                gradientRoundings: 0))
    }
}
