import EspalierGraphs
import EspalierTensors

/// Cuts its input into parts along one axis: of the given sizes, or equally wide.
package struct Split: AxisLinking {
    package static let schemas = [OperatorSchema("Split", since: 2)]

    private let axis: Int
    /// The sizes of operator sets before 13; nil where they are an input or not given.
    private let attributeSizes: [Int]?
    private let partCount: Int?
    private let opsetVersion: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axis = try attributes.int("axis", default: 0)
        opsetVersion = attributes.opsetVersion
        attributeSizes = opsetVersion < 13 ? try attributes.ints("split") : nil
        partCount = try attributes.int("num_outputs")
    }

    private func sizes(_ inputs: OperatorInputs, extent: Int) throws(OperatorError) -> [Int] {
        let given = if let attributeSizes { attributeSizes } else { try inputs.knownIntegers(1) }
        return try sizes(given, extent: extent, outputs: inputs.listedOutputCount)
    }

    private func sizes(_ given: [Int]?, extent: Int, outputs: Int) throws(OperatorError) -> [Int] {
        if let given {
            var rest = extent
            for size in given {
                guard size >= 0, size <= rest else {
                    throw .shapes("parts \(given) of an axis of extent \(extent)")
                }
                rest -= size
            }
            guard rest == 0, given.count == outputs else {
                throw .shapes("parts \(given) of an axis of extent \(extent), for \(outputs) outputs")
            }
            return given
        }
        guard outputs > 0, outputs == partCount ?? outputs else {
            throw .attribute("num_outputs", problem: "there are \(outputs) outputs")
        }
        // Only sets from 18 on let the last part be smaller.
        guard opsetVersion >= 18 || extent % outputs == 0 else {
            throw .shapes("an axis of extent \(extent) in \(outputs) equal parts")
        }
        let size = (extent + outputs - 1) / outputs
        let last = extent - size * (outputs - 1)
        guard last >= 0 else { throw .shapes("an axis of extent \(extent) in \(outputs) parts of \(size)") }
        return [Int](repeating: size, count: outputs - 1) + [last]
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let axis = try input.shape.requireAxis(axis)
        return try sizes(inputs, extent: input.shape[axis]).map { size in
            var shape = input.shape
            shape[axis] = size
            return ValueFacts(dtype: input.dtype, shape: shape)
        }
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let axis = try value.shape.requireAxis(axis)
        let extent = value.shape[axis]
        let inner = value.shape.count((axis + 1)..<value.shape.rank)
        var results: [ReferenceValue<Real>] = []
        var start = 0
        let given = if let attributeSizes { attributeSizes } else { try call.integers(1) }
        for size in try sizes(given, extent: extent, outputs: call.outputs.count) {
            var shape = value.shape
            shape[axis] = size
            var positions: [Int] = []
            for outer in 0..<value.shape.count(0..<axis) {
                let first = (outer * extent + start) * inner
                positions.append(contentsOf: first..<(first + size * inner))
            }
            results.append(value.gathered(positions, shape: shape))
            start += size
        }
        return results
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let input = signature.inputShape(0)
        guard let split = input.normalized(axis: axis) else { return links }
        let isEditable = signature.inputs.count < 2 || signature.inputs[1]?.isDerived != true
        var offset = 0
        for port in signature.outputs.indices {
            for axis in 0..<input.rank {
                if axis != split {
                    links.link(.input(0, axis: axis), .output(port, axis: axis))
                } else if signature.outputShape(port)[axis] == 0 {
                    continue
                } else if isEditable {
                    links.link(.output(port, axis: axis), .input(0, axis: axis), .offset(offset))
                } else {
                    links.frozen.append((.output(port, axis: axis), "the sizes of the parts are computed"))
                }
            }
            offset += signature.outputShape(port)[split]
        }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        var edits = NodeEdits()
        let input = signature.inputShape(0)
        let axis = try input.requireAxis(axis)
        guard let kept = cut[.input(0, axis: axis)] else { return edits }
        var sizes: [Int] = []
        var start = 0
        for port in signature.outputs.indices {
            let size = signature.outputShape(port)[axis]
            sizes.append(kept.count { (start..<(start + size)).contains($0) })
            start += size
        }
        guard sizes.allSatisfy({ $0 > 0 }) else { throw .unsupported("a cut that leaves nothing of a part") }
        let isExplicit = attributeSizes != nil || signature.hasInput(1)
        // Parts that are still as wide as the node makes them without being told need no edit.
        if !isExplicit, sizes == (try? self.sizes(nil, extent: kept.count, outputs: sizes.count)) {
            return edits
        }
        let values = sizes.map { Int64($0) }
        if opsetVersion < 13 {
            edits.attributes["split"] = .ints(values)
        } else {
            edits.constants[1] = Tensor(shape: [values.count], scalars: values)
            if partCount != nil { edits.removedAttributes.insert("num_outputs") }
        }
        return edits
    }
}

// MARK: - Kernels

extension Split: Lowering, Differentiable {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    /// If the input comes with its channels last, so do the parts.
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let shape = signature.inputShape(0)
        var input = Layout.plain
        var outputs = signature.outputs.map { _ in Layout.plain }
        if context.inputLayout(0) != .plain {
            input = try .channelsLast(shape)
            for port in outputs.indices { outputs[port] = try .channelsLast(signature.outputShape(port)) }
        }
        let moves = try moves(signature, input: input, outputs: outputs)
        let width = signature.outputs.first?.dtype.byteCount ?? 4
        let ports = signature.inputs.count
        return PlainKernel(
            inputLayouts: [input] + [Layout](repeating: .plain, count: ports - 1), outputLayouts: outputs,
            unreadInputs: Set(1..<max(1, ports))
        ) { memory in
            guard let source = memory.input(0) else { return }
            for (port, move) in moves.enumerated() {
                guard let target = memory.output(port) else { continue }
                move.copy(from: source, to: target, width: width)
            }
        }
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let (input, outputs) = (context.forward.inputLayouts[0], context.forward.outputLayouts)
        let moves = try moves(context.signature, input: input, outputs: outputs).map(\.reversed)
        let firstGradient = context.gradientPort()
        let count = context.signature.inputShape(0).count
        return PlainKernel(
            inputLayouts: [Layout](repeating: .plain, count: firstGradient) + outputs,
            outputLayouts: [input] + [Layout](repeating: .plain, count: context.inputCount - 1),
            unreadInputs: Set(0..<firstGradient)
        ) { memory in
            guard let target = memory.outputFloats(0) else { return }
            // Parts that nothing depends on have no gradient.
            target.update(repeating: 0, count: count)
            for (output, move) in moves.enumerated() {
                guard let gradient = memory.input(firstGradient + output) else { continue }
                move.copy(from: gradient, to: target, width: 4)
            }
        }
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs.first??.dtype.isFloatingPoint == true
    }

    /// For each output, where its elements come from.
    private func moves(
        _ signature: Signature, input: Layout, outputs: [Layout]
    ) throws(OperatorError) -> [StridedMove] {
        let shape = signature.inputShape(0)
        let axis = try shape.requireAxis(axis)
        let source = try input.requireStrides(shape)
        var moves: [StridedMove] = []
        var offset = 0
        for (port, layout) in outputs.enumerated() {
            let part = signature.outputShape(port)
            moves.append(
                StridedMove(
                    extents: part.extents, source: source, target: try layout.requireStrides(part),
                    sourceOffset: offset, order: .target))
            offset += part[axis] * source[axis]
        }
        return moves
    }
}

// MARK: - Bounds

extension Split: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try movementRule(varying: varying, in: norm, signature)
    }
}
