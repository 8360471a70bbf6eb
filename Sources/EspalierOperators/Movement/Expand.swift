import EspalierGraphs
import EspalierTensors

/// Broadcasts input 0 together with the shape that input 1 gives.
package struct Expand: MovementOperator {
    package static let schemas = [OperatorSchema("Expand", since: 8)]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard let target = try inputs.knownIntegers(1) else { throw .missingInput(1) }
        guard target.allSatisfy({ $0 >= 0 }), let output = input.shape.broadcast(with: Shape(target)) else {
            throw .shapes("\(input.shape) cannot be expanded to \(target)")
        }
        return [ValueFacts(dtype: input.dtype, shape: output)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        guard let target = try call.integers(1), let output = value.shape.broadcast(with: Shape(target))
        else {
            throw .missingInput(1)
        }
        return [value.gathered(value.shape.broadcastPositions(in: output), shape: output)]
    }

    /// Axes that are repeated end here: fewer repetitions are fewer equal slices. Axes that the target names must
    /// follow a cut, which a target computed in the graph can't.
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let (input, output) = (signature.inputShape(0), signature.outputShape())
        let isEditable = signature.inputs.count > 1 && signature.inputs[1]?.isDerived == false
        guard let target = target(signature) else { return links }
        for axis in 0..<output.rank {
            let own = axis - (output.rank - input.rank)
            let named = axis - (output.rank - target.count)
            let isNamed = named >= 0 && target[named] != 1
            guard isEditable || !isNamed else {
                links.frozen.append((.output(0, axis: axis), "the target of the expansion is computed"))
                continue
            }
            if own >= 0, input[own] == output[axis] {
                links.link(.input(0, axis: own), .output(0, axis: axis))
            } else {
                links.free.append(.output(0, axis: axis))
            }
        }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        var edits = NodeEdits()
        guard let target = target(signature) else { throw .inputNotConstant(1) }
        let output = signature.outputShape()
        var edited = target
        for named in target.indices where target[named] != 1 {
            edited[named] = cut.extent(.output(0, axis: named + output.rank - target.count), of: output)
        }
        guard edited != target else { return edits }
        edits.constants[1] = Tensor(shape: [edited.count], scalars: edited.map { Int64($0) })
        return edits
    }

    private func target(_ signature: Signature) -> [Int]? {
        signature.constant(1)?.scalars(as: Int64.self).map { Int(truncatingIfNeeded: $0) }
    }

    static let keepsAxes = false

    func move(
        _ signature: Signature, source: [Int], target: [Int]
    ) throws(OperatorError) -> StridedMove {
        let (input, output) = (signature.inputShape(0), signature.outputShape())
        let missing = output.rank - input.rank
        let repeated = (0..<output.rank).map { axis in
            axis < missing || input[axis - missing] == 1 ? 0 : source[axis - missing]
        }
        return StridedMove(extents: output.extents, source: repeated, target: target, order: .target)
    }

    func coversOutput(_ signature: Signature) -> Bool { true }
    func coversInput(_ signature: Signature) -> Bool {
        signature.inputShape(0).count == signature.outputShape().count
    }
}
