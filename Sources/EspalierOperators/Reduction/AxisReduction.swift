import EspalierGraphs
import EspalierTensors

/// What reductions read from their node.
package struct ReductionAttributes: Sendable {
    fileprivate let axes: AxesArgument
    /// Whether the axes reduced stay, with extent 1.
    package let keepsAxes: Bool
    /// Whether naming no axes means reducing nothing rather than everything.
    private let noAxesMeansNone: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axes = try AxesArgument(attributes, port: 1)
        keepsAxes = try attributes.bool("keepdims", default: true)
        noAxesMeansNone = try attributes.bool("noop_with_empty_axes", default: false)
    }

    /// The axes reduced, ascending, where `named` are those the node names.
    fileprivate func reduced(_ named: [Int]?, rank: Int) -> [Int] {
        if let named, !named.isEmpty { return named }
        return noAxesMeansNone ? [] : Array(0..<rank)
    }
}

/// An operator that makes one number of all elements along some axes.
///
/// Axes that stay are linked. The axes reduced are frozen: after an activation that is not zero at zero, even a sum
/// still counts what a masked channel contributes, and a mean or a maximum counts zeros as well.
protocol AxisReduction: AxisLinking, Differentiable, Lowering {
    var attributes: ReductionAttributes { get }

    /// What becomes of the elements that are reduced to one.
    func reduced<Real: ReferenceReal>(_ elements: [Real]) -> Real
    /// What becomes of integers, or nil where that makes no sense (the mean or the largest of none).
    func reduced<Whole: FixedWidthInteger>(_ elements: [Whole]) -> Whole?
    /// What becomes of booleans, or nil where that makes no sense.
    func reduced(_ elements: [Bool]) -> Bool?

    /// A kernel from input 0 to output 0.
    func kernel(_ plan: ReductionPlan) -> any Kernel
    /// A kernel for the gradient of input 0.
    func backwardKernel(_ plan: ReductionPlan, _ context: BackwardContext) -> any Kernel
}

/// The loops of one reduction.
struct ReductionPlan: Sendable {
    let inputCount: Int
    let outputCount: Int
    /// From the input's elements to the outputs they are reduced to.
    let move: StridedMove
    /// How the input lies: any way that has strides.
    let layout: Layout
    /// How many inputs the node has.
    let ports: Int

    /// The number of elements reduced to one.
    var width: Int { outputCount == 0 ? 0 : inputCount / outputCount }

    init(_ signature: Signature, axes: [Int], layout offered: Layout) {
        let input = signature.inputShape(0)
        let source = offered.strides(input)
        layout = source == nil ? .plain : offered
        ports = signature.inputs.count
        var extents = input
        for axis in axes { extents[axis] = 1 }
        let strides = extents.strides
        inputCount = input.count
        outputCount = extents.count
        move = StridedMove(
            extents: input.extents, source: source ?? input.strides,
            target: (0..<input.rank).map { axes.contains($0) ? 0 : strides[$0] }, order: .source)
    }

    /// Reads input 0 in its layout, and the axes, if they are an input, not at all.
    func kernel(_ body: @escaping (borrowing KernelMemory) -> Void) -> any Kernel {
        PlainKernel(
            inputLayouts: [layout] + [Layout](repeating: .plain, count: ports - 1), outputLayouts: [.plain],
            unreadInputs: Set(1..<max(1, ports)), body: body)
    }

    /// Writes the gradient of input 0 in the input's layout.
    func backwardKernel(
        _ context: BackwardContext, readsValues: Bool, scratchByteCount: Int = 0,
        _ body: @escaping (borrowing KernelMemory) -> Void
    ) -> any Kernel {
        var inputs = [Layout](repeating: .plain, count: context.backwardInputCount)
        inputs[0] = layout
        return PlainKernel(
            inputLayouts: inputs,
            outputLayouts: [layout] + [Layout](repeating: .plain, count: ports - 1),
            scratchByteCount: scratchByteCount,
            unreadInputs: Set(readsValues ? 1..<ports : 0..<context.gradientPort()), body: body)
    }
}

extension AxisReduction {
    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        _ = try input.shape.requireCount()
        let named = try attributes.axes.resolved(inputs, rank: input.shape.rank)
        let axes = attributes.reduced(named, rank: input.shape.rank)
        return [ValueFacts(dtype: input.dtype, shape: shape(input.shape, without: axes))]
    }

    private func shape(_ input: Shape, without axes: [Int]) -> Shape {
        var extents: [Int] = []
        for axis in 0..<input.rank {
            if !axes.contains(axis) {
                extents.append(input[axis])
            } else if attributes.keepsAxes {
                extents.append(1)
            }
        }
        return Shape(extents)
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let input = value.shape
        let named = try attributes.axes.resolved(call, rank: input.rank)
        let axes = attributes.reduced(named, rank: input.rank)
        let output = shape(input, without: axes)
        var members = [[Int]](repeating: [], count: output.count)
        var kept = input
        for axis in axes { kept[axis] = 1 }
        let strides = kept.strides
        var position = 0
        input.forEachCoordinate { coordinates in
            var target = 0
            for (axis, coordinate) in coordinates.enumerated() where !axes.contains(axis) {
                target += coordinate * strides[axis]
            }
            members[target].append(position)
            position += 1
        }
        func integers<Whole: FixedWidthInteger & Sendable>(
            _ array: NDArray<Whole>
        ) throws(OperatorError) -> NDArray<Whole> {
            var elements: [Whole] = []
            for positions in members {
                guard let element = reduced(positions.map { array.elements[$0] }) else {
                    throw .input(0, problem: "the reduction of \(positions.count) integers is not defined")
                }
                elements.append(element)
            }
            return NDArray(shape: output, elements: elements)
        }
        switch value {
        case .real(let array):
            let elements = members.map { positions in reduced(positions.map { array.elements[$0] }) }
            return [.real(NDArray(shape: output, elements: elements))]
        case .integer(let array): return [.integer(try integers(array))]
        case .unsigned(let array): return [.unsigned(try integers(array))]
        case .boolean(let array):
            var elements: [Bool] = []
            for positions in members {
                guard let element = reduced(positions.map { array.elements[$0] }) else {
                    throw .input(0, problem: "this reduction of booleans is not defined")
                }
                elements.append(element)
            }
            return [.boolean(NDArray(shape: output, elements: elements))]
        }
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let rank = signature.inputShape(0).rank
        let axes = reducedAxes(signature)
        var position = 0
        for axis in 0..<rank {
            if axes.contains(axis) {
                links.frozen.append((.input(0, axis: axis), "it is reduced to one number"))
                if attributes.keepsAxes { position += 1 }
            } else {
                links.link(.input(0, axis: axis), .output(0, axis: position))
                position += 1
            }
        }
        return links
    }

    /// How many elements a node whose inference has succeeded makes one of.
    func reductionWidth(_ signature: Signature) -> Int {
        reducedAxes(signature).reduce(1) { $0 * signature.inputShape(0)[$1] }
    }

    /// What a sum of the elements, or a mean, is for bounds.
    func sumPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try varying.requireOnly(0)
        return .affine(
            AffinePropagation(.sample, roundings: reductionWidth(signature) + 2, gradientRoundings: 2))
    }

    /// The axes reduced by a node whose inference has succeeded.
    func reducedAxes(_ signature: Signature) -> [Int] {
        let rank = signature.inputShape(0).rank
        return attributes.reduced(attributes.axes.resolved(signature, rank: rank), rank: rank)
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .fixed(input: nil, output: .plain) }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard signature.inputs.first??.dtype == .float32 else { throw .unsupported("a kernel for this type") }
        return kernel(
            ReductionPlan(signature, axes: reducedAxes(signature), layout: context.inputLayout(0)))
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let plan = ReductionPlan(
            context.signature, axes: reducedAxes(context.signature), layout: context.forward.inputLayouts[0])
        return backwardKernel(plan, context)
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs.first??.dtype.isFloatingPoint == true
    }
}
