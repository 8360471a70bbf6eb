import EspalierGraphs
import EspalierTensors

/// A rectangular part of input 0, with a step along each axis, which may be negative.
package struct Slice: MovementOperator {
    package static let schemas = [OperatorSchema("Slice")]

    /// What is taken along one axis.
    struct Selection: Equatable {
        var start = 0
        var step = 1
        var count: Int

        /// Index i of the output is `start + i * step` of the input.
        func isWhole(_ extent: Int) -> Bool { start == 0 && step == 1 && count == extent }
    }

    private struct Bounds {
        var starts: [Int]
        var ends: [Int]
        var axes: [Int]?
        var steps: [Int]?
    }

    /// The attributes of operator sets before 10; nil where the bounds are inputs.
    private let attributeBounds: Bounds?

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        guard attributes.opsetVersion < 10 else {
            attributeBounds = nil
            return
        }
        guard let starts = try attributes.ints("starts") else { throw .missingAttribute("starts") }
        guard let ends = try attributes.ints("ends") else { throw .missingAttribute("ends") }
        attributeBounds = Bounds(starts: starts, ends: ends, axes: try attributes.ints("axes"))
    }

    private func bounds(_ inputs: OperatorInputs) throws(OperatorError) -> Bounds {
        if let attributeBounds { return attributeBounds }
        guard let starts = try inputs.knownIntegers(1) else { throw .missingInput(1) }
        guard let ends = try inputs.knownIntegers(2) else { throw .missingInput(2) }
        return Bounds(
            starts: starts, ends: ends, axes: try inputs.knownIntegers(3),
            steps: try inputs.knownIntegers(4))
    }

    private func bounds(_ signature: Signature) throws(OperatorError) -> Bounds {
        try bounds(OperatorInputs(signature.inputs))
    }

    /// For each axis of `shape` what is taken, and for each entry of the bounds its axis.
    private func selections(
        _ bounds: Bounds, of shape: Shape
    ) throws(OperatorError) -> (selections: [Selection], axes: [Int]) {
        let steps = bounds.steps ?? [Int](repeating: 1, count: bounds.starts.count)
        let axes = bounds.axes ?? Array(0..<bounds.starts.count)
        guard bounds.ends.count == bounds.starts.count, axes.count == bounds.starts.count,
            steps.count == bounds.starts.count
        else { throw .shapes("the bounds of the slice differ in length") }
        // Checks ranges and repetitions; the order of the entries is kept.
        _ = try AxesArgument.resolve(axes, rank: shape.rank)
        let normalized = axes.map { $0 < 0 ? $0 + shape.rank : $0 }
        var selections = shape.extents.map { Selection(count: $0) }
        for (entry, axis) in normalized.enumerated() {
            guard steps[entry] != 0 else { throw .shapes("a slice with step 0") }
            selections[axis] = Self.selection(
                start: bounds.starts[entry], end: bounds.ends[entry], step: steps[entry], extent: shape[axis])
        }
        return (selections, normalized)
    }

    private static func selection(start: Int, end: Int, step: Int, extent: Int) -> Selection {
        func placed(_ bound: Int, in range: ClosedRange<Int>) -> Int {
            let fromFront = bound < 0 ? bound + extent : bound
            return min(max(fromFront, range.lowerBound), range.upperBound)
        }
        guard extent > 0 else { return Selection(count: 0) }
        if step > 0 {
            let first = placed(start, in: 0...extent)
            let last = placed(end, in: 0...extent)
            return Selection(
                start: first, step: step, count: last > first ? (last - first - 1) / step + 1 : 0)
        }
        let first = placed(start, in: 0...(extent - 1))
        let last = placed(end, in: -1...(extent - 1))
        // The magnitude of the most negative step is no `Int`.
        let magnitude = Int(clamping: step.magnitude)
        return Selection(
            start: first, step: step, count: first > last ? (first - last - 1) / magnitude + 1 : 0)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let selections = try selections(bounds(inputs), of: input.shape).selections
        return [ValueFacts(dtype: input.dtype, shape: Shape(selections.map(\.count)))]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let bounds: Bounds
        if let attributeBounds {
            bounds = attributeBounds
        } else {
            guard let starts = try call.integers(1) else { throw .missingInput(1) }
            guard let ends = try call.integers(2) else { throw .missingInput(2) }
            bounds = Bounds(
                starts: starts, ends: ends, axes: try call.integers(3), steps: try call.integers(4))
        }
        let selections = try selections(bounds, of: value.shape).selections
        let output = Shape(selections.map(\.count))
        let strides = value.shape.strides
        var positions: [Int] = []
        output.forEachCoordinate { coordinates in
            var position = 0
            for (axis, coordinate) in coordinates.enumerated() {
                position += (selections[axis].start + coordinate * selections[axis].step) * strides[axis]
            }
            positions.append(position)
        }
        return [value.gathered(positions, shape: output)]
    }

    static let keepsAxes = true

    func move(
        _ signature: Signature, source: [Int], target: [Int]
    ) throws(OperatorError) -> StridedMove {
        let selections = try selections(bounds(signature), of: signature.inputShape(0)).selections
        return StridedMove(
            extents: selections.map(\.count),
            // A step past the input belongs to an axis of which at most one element is taken.
            source: selections.indices.map {
                selections[$0].count > 1 ? selections[$0].step * source[$0] : 0
            },
            target: target,
            sourceOffset: selections.indices.reduce(0) {
                $0 + (selections[$1].count > 0 ? selections[$1].start * source[$1] : 0)
            }, order: .target)
    }

    func coversOutput(_ signature: Signature) -> Bool { true }
    func coversInput(_ signature: Signature) -> Bool {
        signature.inputShape(0).count == signature.outputShape().count
    }
}

// MARK: - Axes

extension Slice {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let input = signature.inputShape(0)
        guard let selections = try? selections(bounds(signature), of: input).selections else { return links }
        let isEditable =
            attributeBounds != nil || [1, 2].allSatisfy { signature.inputs[$0]?.isDerived == false }
        for (axis, selection) in selections.enumerated() {
            if selection.isWhole(input[axis]) {
                links.link(.input(0, axis: axis), .output(0, axis: axis))
            } else if selection.count == 0 {
                links.frozen.append((.input(0, axis: axis), "nothing is taken of it"))
            } else if selection.step != 1 || !isEditable {
                let reason = isEditable ? "it is sliced with a step" : "the slice's bounds are computed"
                links.frozen.append((.input(0, axis: axis), reason))
                links.frozen.append((.output(0, axis: axis), reason))
            } else {
                links.link(.output(0, axis: axis), .input(0, axis: axis), .offset(selection.start))
            }
        }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        let input = signature.inputShape(0)
        let bounds = try bounds(signature)
        let (selections, axes) = try selections(bounds, of: input)
        var (starts, ends) = (bounds.starts, bounds.ends)
        for (entry, axis) in axes.enumerated() {
            let selection = selections[axis]
            guard let kept = cut[.input(0, axis: axis)], !selection.isWhole(input[axis]) else { continue }
            guard selection.step == 1 else { throw .unsupported("a cut of an axis sliced with a step") }
            starts[entry] = kept.count { $0 < selection.start }
            ends[entry] = kept.count { $0 < selection.start + selection.count }
        }
        var edits = NodeEdits()
        guard starts != bounds.starts || ends != bounds.ends else { return edits }
        if attributeBounds != nil {
            edits.attributes["starts"] = .ints(starts.map { Int64($0) })
            edits.attributes["ends"] = .ints(ends.map { Int64($0) })
        } else {
            for (port, values) in [(1, starts), (2, ends)] {
                edits.constants[port] = Tensor(shape: [values.count], scalars: values.map { Int64($0) })
                    .converted(to: signature.inputs[port]?.dtype ?? .int64)
            }
        }
        return edits
    }
}
