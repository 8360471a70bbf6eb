import EspalierKernels
import EspalierTensors

/// How up to four arrays broadcast to one shape, as loops over raw memory in the order in which the output lies.
///
/// Neighbouring axes along which every operand moves alike are merged, so that most networks need one or two loops.
/// The innermost axis is a *row*: along it the output moves by one element.
struct BroadcastPlan: Sendable {
    /// Offsets into the operands.
    typealias Offsets = SIMD4<Int>

    /// An array and the distances in elements between neighbours along its axes.
    struct Operand {
        let shape: Shape
        let strides: [Int]

        init(_ shape: Shape, strides: [Int]? = nil) {
            self.shape = shape
            self.strides = strides ?? shape.strides
        }
    }

    private var extents: [Int] = []
    private var outputStrides: [Int] = []
    private var strides: [Offsets] = []
    private(set) var rowLength = 1
    /// By operand, how far it moves from one element of a row to the next: 0 if it stands still.
    private(set) var rowStrides = Offsets()

    /// - Precondition: at most four operands, each of which broadcasts to `output`, which has no gaps.
    init(_ operands: [Operand], output: Operand) {
        // Outermost first as the output lies.
        let axes = output.shape.extents.indices.filter { output.shape[$0] != 1 }
            .sorted { output.strides[$0] > output.strides[$1] }
        var merged: [(extent: Int, strides: Offsets, output: Int)] = []
        for axis in axes {
            var step = Offsets()
            for (lane, operand) in operands.enumerated() {
                let own = axis - (output.shape.rank - operand.shape.rank)
                step[lane] = own < 0 || operand.shape[own] == 1 ? 0 : operand.strides[own]
            }
            let extent = output.shape[axis]
            if let outer = merged.last, outer.strides == step &* extent,
                outer.output == output.strides[axis] * extent
            {
                merged[merged.count - 1] = (outer.extent * extent, step, output.strides[axis])
            } else {
                merged.append((extent, step, output.strides[axis]))
            }
        }
        if let row = merged.popLast() {
            rowLength = row.extent
            rowStrides = row.strides
        }
        extents = merged.map(\.extent)
        strides = merged.map(\.strides)
        outputStrides = merged.map(\.output)
    }

    init(_ operands: [Shape], output: Shape) {
        self.init(operands.map { Operand($0) }, output: Operand(output))
    }

    /// Calls `body` for every row with where it starts in the output and in the operands.
    func forEachRow(_ body: (_ output: Int, _ operands: Offsets) -> Void) {
        walk(0, 0, Offsets(), body)
    }

    /// As ``forEachRow(_:)``, with the rows shared among the thread team: `body` may write to its row of the output only.
    func forEachRowInParallel(_ body: (_ output: Int, _ operands: Offsets) -> Void) {
        guard let outermost = extents.first else { return forEachRow(body) }
        let work = max(1, extents.dropFirst().reduce(rowLength, *))
        ThreadTeam.parallel(outermost, minimum: ElementwiseKernel.workPerThread / work + 1) { range in
            for index in range {
                walk(1, index * outputStrides[0], strides[0] &* index, body)
            }
        }
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

extension Layout {
    /// The distances in elements between neighbours of a value of `shape` in this layout, or nil if it lies in blocks.
    func strides(of shape: Shape) -> [Int]? {
        switch self {
        case .plain: shape.strides
        case .dnn(let layout): layout.shape == shape ? layout.strides : nil
        }
    }

    /// This layout, or the plain one if this one lies in blocks.
    func withStrides(of shape: Shape) -> Layout { strides(of: shape) == nil ? .plain : self }
}
