import EspalierGraphs
import EspalierTensors

/// Adds elements before and after each axis: a constant, the border's reflection, the border repeated, or the other
/// end. Negative numbers take elements away.
package struct Pad: MovementOperator {
    package static let schemas = [OperatorSchema("Pad")]

    private enum Mode: String {
        case constant, reflect, edge, wrap
    }

    private let mode: Mode
    /// The attributes of operator sets before 11; nil where they are inputs.
    private let attributePads: [Int]?
    private let attributeValue: Float

    /// The largest padding believed.
    private static let limit = 1 << 40

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        let name = try attributes.string("mode", default: "constant")
        guard let mode = Mode(rawValue: name) else {
            throw .attribute("mode", problem: "unknown kind '\(name)'")
        }
        self.mode = mode
        if attributes.opsetVersion < 11 {
            guard let pads = try attributes.ints("pads") else { throw .missingAttribute("pads") }
            attributePads = pads
            attributeValue = try attributes.float("value", default: 0)
        } else {
            attributePads = nil
            attributeValue = 0
        }
    }

    /// Elements added before and after each axis.
    private func pads(
        _ pads: [Int]?, axes: [Int]?, shape: Shape
    ) throws(OperatorError) -> [(before: Int, after: Int)] {
        guard let pads else { throw .missingInput(1) }
        let axes = axes ?? Array(0..<shape.rank)
        _ = try AxesArgument.resolve(axes, rank: shape.rank)
        guard pads.count == 2 * axes.count else {
            throw .shapes("\(pads.count) paddings for \(axes.count) axes of \(shape)")
        }
        var result = shape.extents.map { _ in (before: 0, after: 0) }
        for (entry, axis) in axes.enumerated() {
            let (before, after) = (pads[entry], pads[axes.count + entry])
            let extent = shape[axis < 0 ? axis + shape.rank : axis]
            guard before.magnitude <= Self.limit, after.magnitude <= Self.limit, extent <= Self.limit,
                extent + before + after >= 0, extent + min(before, 0) + min(after, 0) >= 0
            else { throw .shapes("paddings \(before) and \(after) of an axis of extent \(extent)") }
            // A reflection needs an element besides the border; two reflections are not defined.
            if max(before, after) > 0, mode != .constant {
                guard extent > 0, mode != .reflect || max(before, after) < extent else {
                    throw .shapes("\(mode.rawValue) padding by \(max(before, after)) of \(extent) elements")
                }
            }
            result[axis < 0 ? axis + shape.rank : axis] = (before, after)
        }
        return result
    }

    private func pads(
        _ inputs: OperatorInputs, shape: Shape
    ) throws(OperatorError) -> [(before: Int, after: Int)] {
        if let attributePads { return try pads(attributePads, axes: nil, shape: shape) }
        return try pads(inputs.knownIntegers(1), axes: inputs.knownIntegers(3), shape: shape)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let pads = try pads(inputs, shape: input.shape)
        let extents = input.shape.extents.indices.map { input.shape[$0] + pads[$0].before + pads[$0].after }
        return [ValueFacts(dtype: input.dtype, shape: Shape(extents))]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let pads =
            if let attributePads {
                try pads(attributePads, axes: nil, shape: value.shape)
            } else {
                try pads(call.integers(1), axes: call.integers(3), shape: value.shape)
            }
        let output = Shape(
            value.shape.extents.indices.map { value.shape[$0] + pads[$0].before + pads[$0].after })
        var positions: [Int?] = []
        let strides = value.shape.strides
        output.forEachCoordinate { coordinates in
            var position: Int? = 0
            for (axis, coordinate) in coordinates.enumerated() {
                let source = sourceIndex(coordinate - pads[axis].before, extent: value.shape[axis])
                position = source.flatMap { source in position.map { $0 + source * strides[axis] } }
            }
            positions.append(position)
        }
        func filled<Element>(_ array: NDArray<Element>, with fill: Element) -> NDArray<Element> {
            NDArray(shape: output, elements: positions.map { $0.map { array.elements[$0] } ?? fill })
        }
        switch value {
        case .real(let array):
            let fill = try call.hasInput(2) ? call.real(2).elements.first : nil
            return [.real(filled(array, with: fill ?? Real(attributeValue)))]
        case .integer(let array):
            return [.integer(filled(array, with: try call.integers(2)?.first.map { Int64($0) } ?? 0))]
        case .unsigned(let array):
            let fill = try call.hasInput(2) ? call.unsigned(2).elements.first : nil
            return [.unsigned(filled(array, with: fill ?? 0))]
        case .boolean(let array):
            let fill = try call.hasInput(2) ? call.boolean(2).elements.first : nil
            return [.boolean(filled(array, with: fill ?? false))]
        }
    }

    /// The index of the element that padding puts at `index`, counted from the input's first; nil for the constant.
    private func sourceIndex(_ index: Int, extent: Int) -> Int? {
        if (0..<extent).contains(index) { return index }
        switch mode {
        case .constant: return nil
        case .edge: return index < 0 ? 0 : extent - 1
        case .reflect: return index < 0 ? -index : 2 * (extent - 1) - index
        case .wrap: return ((index % extent) + extent) % extent
        }
    }

    /// Axes that are not padded are linked. Others are frozen: a cut would have to say which of the added
    /// elements belong to what is cut.
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let shape = signature.inputShape(0)
        guard let pads = try? pads(OperatorInputs(signature.inputs), shape: shape) else { return links }
        for (axis, pad) in pads.enumerated() {
            if pad == (0, 0) {
                links.link(.input(0, axis: axis), .output(0, axis: axis))
            } else {
                links.frozen.append((.input(0, axis: axis), "it is padded"))
                links.frozen.append((.output(0, axis: axis), "it is padded"))
            }
        }
        return links
    }

    // MARK: Bounds

    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        guard mode == .constant else { return try movementRule(varying: varying, in: norm, signature) }
        try varying.requireOnly(0)
        return LipschitzRule(.sum, [0: 1])
    }

    // MARK: Kernels

    static let keepsAxes = true

    func move(
        _ signature: Signature, source: [Int], target: [Int]
    ) throws(OperatorError) -> StridedMove {
        guard mode == .constant else { throw .unsupported("a kernel for \(mode.rawValue) padding") }
        let input = signature.inputShape(0)
        let pads = try pads(OperatorInputs(signature.inputs), shape: input)
        return StridedMove(
            extents: input.extents.indices.map {
                input[$0] + min(0, pads[$0].before) + min(0, pads[$0].after)
            },
            source: source, target: target,
            sourceOffset: pads.indices.reduce(0) { $0 + max(0, -pads[$1].before) * source[$1] },
            targetOffset: pads.indices.reduce(0) { $0 + max(0, pads[$1].before) * target[$1] },
            order: .target)
    }

    func coversOutput(_ signature: Signature) -> Bool { false }
    func coversInput(_ signature: Signature) -> Bool { false }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let memory = try layouts(context)
        let move = try move(signature, source: memory.source, target: memory.target)
        guard signature.inputs.first??.dtype == .float32 else { throw .unsupported("padding of this type") }
        let count = signature.outputShape().count
        let value = attributeValue
        let hasValue = signature.hasInput(2)
        let plain = [Layout](repeating: .plain, count: signature.inputs.count - 1)
        return PlainKernel(inputLayouts: [memory.input] + plain, outputLayouts: [memory.output]) { memory in
            guard let source = memory.floats(0), let target = memory.outputFloats(0) else { return }
            target.update(repeating: hasValue ? memory.floats(2)?.pointee ?? value : value, count: count)
            move.copy(from: source, to: target, width: 4)
        }
    }
}

// MARK: - Bounds

extension Pad {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try varying.requireOnly(0)
        guard attributeValue == 0 else { throw .unsupported("a padding of \(attributeValue) by attribute") }
        return .affine(
            AffinePropagation(
                .sample, addends: [2: 1], roundings: 0,
                gradientRoundings: signature.outputShape().count))
    }
}
