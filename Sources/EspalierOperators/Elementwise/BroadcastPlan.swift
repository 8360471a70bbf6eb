import EspalierTensors

/// How up to four arrays broadcast to one shape, as loops over raw memory.
///
/// Neighbouring axes along which every operand moves alike are merged, so that most networks need one or two loops.
/// The innermost axis is a *row*, along which an operand either moves with the output or stands still.
struct BroadcastPlan: Sendable {
    /// Offsets into the operands.
    typealias Offsets = SIMD4<Int>

    private var extents: [Int] = []
    private var outputStrides: [Int] = []
    private var strides: [Offsets] = []
    private(set) var rowCount = 1
    private(set) var rowLength = 1
    /// By operand, 1 if it moves along a row and 0 if it stands still.
    private(set) var rowStrides = Offsets()

    /// - Precondition: at most four operands, each of which broadcasts to `output`.
    init(_ operands: [Shape], output: Shape) {
        var merged: [(extent: Int, strides: Offsets)] = []
        let operandStrides = operands.map(\.strides)
        for axis in output.extents.indices where output[axis] != 1 {
            var step = Offsets()
            for (lane, operand) in operands.enumerated() {
                let own = axis - (output.rank - operand.rank)
                step[lane] = own < 0 || operand[own] == 1 ? 0 : operandStrides[lane][own]
            }
            if let outer = merged.last, outer.strides == step &* output[axis] {
                merged[merged.count - 1] = (outer.extent * output[axis], step)
            } else {
                merged.append((output[axis], step))
            }
        }
        if let row = merged.popLast() {
            rowLength = row.extent
            rowStrides = row.strides
        }
        var outputStride = rowLength
        for axis in merged.reversed() {
            extents.insert(axis.extent, at: 0)
            strides.insert(axis.strides, at: 0)
            outputStrides.insert(outputStride, at: 0)
            outputStride *= axis.extent
            rowCount *= axis.extent
        }
    }

    /// Calls `body` for every row with where it starts in the output and in the operands.
    func forEachRow(_ body: (_ output: Int, _ operands: Offsets) -> Void) {
        walk(0, 0, Offsets(), body)
    }

    private func walk(_ axis: Int, _ output: Int, _ offsets: Offsets, _ body: (Int, Offsets) -> Void) {
        if axis == extents.count { return body(output, offsets) }
        var (output, offsets) = (output, offsets)
        for _ in 0..<extents[axis] {
            walk(axis + 1, output, offsets, body)
            output += outputStrides[axis]
            offsets &+= strides[axis]
        }
    }
}
