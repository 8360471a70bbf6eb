import COneDNN
package import EspalierTensors

/// A tensor of a primitive in the making: in a layout that is given, or in whichever oneDNN likes best.
package enum DNNOperand: Sendable, Hashable {
    case any(Shape, DNNElement = .float32)
    case layout(DNNLayout)

    /// Row-major.
    package static func plain(_ shape: Shape) throws(DNNError) -> DNNOperand {
        .layout(try .plain(shape))
    }

    /// `layout`, or if it is nil any layout of `shape`.
    package init(_ layout: DNNLayout?, or shape: Shape, _ element: DNNElement = .float32) {
        self = layout.map { .layout($0) } ?? .any(shape, element)
    }

    package var shape: Shape {
        switch self {
        case .any(let shape, _): shape
        case .layout(let layout): layout.shape
        }
    }
}

/// Keeps the operands' C descriptions, and the layouts they point to, alive while a primitive is made.
final class OperandScope {
    private var vectors: [UnsafeMutablePointer<Int64>] = []
    private var layouts: [DNNLayout] = []
    private var operations: [UnsafeMutablePointer<espalier_dnn_post_op>] = []

    deinit {
        for vector in vectors { vector.deallocate() }
        for list in operations { list.deallocate() }
    }

    /// No operand.
    static var absent: espalier_dnn_operand { espalier_dnn_operand() }

    func describe(_ operand: DNNOperand) -> espalier_dnn_operand {
        switch operand {
        case .layout(let layout):
            layouts.append(layout)
            return espalier_dnn_operand(
                layout: layout.handle, extents: nil, rank: 0, element: layout.element.code)
        case .any(let shape, let element):
            let extents = shape.rank == 0 ? [1] : shape.extents
            let vector = UnsafeMutablePointer<Int64>.allocate(capacity: extents.count)
            for (axis, extent) in extents.enumerated() { vector[axis] = Int64(extent) }
            vectors.append(vector)
            return espalier_dnn_operand(
                layout: nil, extents: vector, rank: Int32(extents.count), element: element.code)
        }
    }

    func describe(
        _ layout: DNNLayout?, or shape: Shape, _ element: DNNElement = .float32
    ) -> espalier_dnn_operand {
        describe(DNNOperand(layout, or: shape, element))
    }

    func describe(_ fused: [DNNPostOperation]) -> espalier_dnn_post_ops {
        guard !fused.isEmpty else { return espalier_dnn_post_ops(operations: nil, count: 0) }
        let list = UnsafeMutablePointer<espalier_dnn_post_op>.allocate(capacity: fused.count)
        operations.append(list)
        for (place, operation) in fused.enumerated() {
            (list + place).initialize(to: describe(operation))
        }
        return espalier_dnn_post_ops(operations: list, count: Int32(fused.count))
    }

    private func describe(_ operation: DNNPostOperation) -> espalier_dnn_post_op {
        var result = espalier_dnn_post_op()
        switch operation {
        case .elementwise(let function):
            result.kind = ESPALIER_DNN_POST_ELTWISE
            result.eltwise = function.kind.code
            result.alpha = function.alpha
            result.beta = function.beta
        case .accumulate(let scale):
            result.kind = ESPALIER_DNN_POST_SUM
            result.scale = scale
        case .binary(let kind, let operand):
            result.kind = ESPALIER_DNN_POST_BINARY
            result.binary = kind.code
            result.operand = operand.map { describe($0) } ?? Self.absent
        }
        return result
    }
}

/// The first three of `values`, or `filler` where there are fewer: C's fixed-size vectors.
func spatialVector(_ values: [Int], filler: Int64) -> (Int64, Int64, Int64) {
    func value(_ axis: Int) -> Int64 { axis < values.count ? Int64(values[axis]) : filler }
    return (value(0), value(1), value(2))
}
