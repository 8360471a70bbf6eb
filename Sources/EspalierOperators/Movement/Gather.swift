import EspalierGraphs
import EspalierTensors

/// Takes the slices of input 0 along one axis that the indices in input 1 name; negative ones count from the end.
package struct Gather: AxisLinking {
    package static let schemas = [OperatorSchema("Gather")]

    private let axis: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axis = try attributes.int("axis", default: 0)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let data = try inputs.required(0)
        let indices = try inputs.required(1)
        guard indices.dtype == .int64 || indices.dtype == .int32 else {
            throw .input(1, problem: "indices of type \(indices.dtype)")
        }
        let axis = try data.shape.requireAxis(axis)
        return [ValueFacts(dtype: data.dtype, shape: Self.shape(data.shape, indices.shape, axis: axis))]
    }

    private static func shape(_ data: Shape, _ indices: Shape, axis: Int) -> Shape {
        Shape(Array(data.extents[..<axis]) + indices.extents + Array(data.extents[(axis + 1)...]))
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let data = try call.value(0)
        let indices = try call.integer(1)
        let axis = try data.shape.requireAxis(axis)
        let inner = data.shape.count((axis + 1)..<data.shape.rank)
        var positions: [Int] = []
        for outer in 0..<data.shape.count(0..<axis) {
            for index in indices.elements {
                let slice = try Self.place(index, extent: data.shape[axis])
                let start = (outer * data.shape[axis] + slice) * inner
                positions.append(contentsOf: start..<(start + inner))
            }
        }
        return [data.gathered(positions, shape: Self.shape(data.shape, indices.shape, axis: axis))]
    }

    fileprivate static func place(_ index: Int64, extent: Int) throws(OperatorError) -> Int {
        let result = index < 0 ? index + Int64(extent) : index
        guard result >= 0, result < extent else {
            throw .input(1, problem: "index \(index) of an axis of extent \(extent)")
        }
        return Int(result)
    }

    /// The indices name slices of the gathered axis, so that stays whole; all other axes are carried over.
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let data = signature.inputShape(0)
        let indices = signature.inputShape(1)
        guard let axis = data.normalized(axis: axis) else { return links }
        links.frozen.append((.input(0, axis: axis), "indices name its slices"))
        for other in 0..<data.rank where other != axis {
            let position = other < axis ? other : other + indices.rank - 1
            links.link(.input(0, axis: other), .output(0, axis: position))
            if signature.constant(0) != nil { links.roles[.input(0, axis: other)] = .producer }
        }
        if signature.constant(1) == nil {
            for position in 0..<indices.rank {
                links.link(.input(1, axis: position), .output(0, axis: axis + position))
            }
        }
        return links
    }
}

// MARK: - Kernels

extension Gather: Lowering, Differentiable {
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        return GatherKernel(try shape(signature), direction: .forward, ports: (source: 0, count: 2))
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        GatherKernel(
            try shape(context.signature), direction: .backward,
            ports: (source: context.gradientPort(), count: context.backwardInputCount))
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs.first??.dtype.isFloatingPoint == true
    }

    private func shape(_ signature: Signature) throws(OperatorError) -> GatherKernel.Extents {
        guard signature.inputs.count == 2, let data = signature.inputs[0], let indices = signature.inputs[1]
        else { throw .missingInput(1) }
        let axis = try data.shape.requireAxis(axis)
        return GatherKernel.Extents(
            outer: data.shape.count(0..<axis), axis: data.shape[axis],
            inner: data.shape.count((axis + 1)..<data.shape.rank), indices: indices.shape.count,
            indicesAre64Bit: indices.dtype == .int64, width: data.dtype.byteCount)
    }
}

/// Copies slices, or adds up their gradients.
private final class GatherKernel: Kernel {
    struct Extents {
        var outer, axis, inner, indices: Int
        var indicesAre64Bit: Bool
        /// Bytes per element.
        var width: Int
    }

    enum Direction { case forward, backward }

    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    let unreadInputs: Set<Int>
    private(set) var failure: OperatorError?
    private let extents: Extents
    private let direction: Direction
    private let source: Int
    private var memory = KernelMemory(inputs: [], outputs: [])

    init(_ extents: Extents, direction: Direction, ports: (source: Int, count: Int)) {
        self.extents = extents
        self.direction = direction
        source = ports.source
        inputLayouts = [Layout](repeating: .plain, count: ports.count)
        outputLayouts = [Layout](repeating: .plain, count: direction == .forward ? 1 : 2)
        unreadInputs = Set(0..<ports.count).subtracting([1, ports.source])
    }

    func bind(_ memory: KernelMemory) { self.memory = memory }

    func run() {
        failure = nil
        guard let source = memory.input(source), let indices = memory.input(1), let target = memory.output(0)
        else { return }
        let sliceBytes = extents.inner * extents.width
        if direction == .backward {
            target.initializeMemory(
                as: UInt8.self, repeating: 0, count: extents.outer * extents.axis * sliceBytes)
        }
        for position in 0..<extents.indices {
            let index =
                extents.indicesAre64Bit
                ? indices.load(fromByteOffset: position * 8, as: Int64.self)
                : Int64(indices.load(fromByteOffset: position * 4, as: Int32.self))
            let slice: Int
            do throws(OperatorError) {
                slice = try Gather.place(index, extent: extents.axis)
            } catch {
                failure = error
                return
            }
            for outer in 0..<extents.outer {
                let whole = (outer * extents.axis + slice) * sliceBytes
                let taken = (outer * extents.indices + position) * sliceBytes
                switch direction {
                case .forward: (target + taken).copyMemory(from: source + whole, byteCount: sliceBytes)
                case .backward:
                    let sum = (target + whole).assumingMemoryBound(to: Float.self)
                    let part = (source + taken).assumingMemoryBound(to: Float.self)
                    for element in 0..<extents.inner { sum[element] += part[element] }
                }
            }
        }
    }
}

// MARK: - Bounds

extension Gather: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try movementRule(varying: varying, in: norm, signature)
    }
}
