import EspalierTensors

/// How a weight falls into blocks of consecutive outputs by consecutive inputs, at one index of every other axis (one
/// position of a kernel). Blocks that the edges leave incomplete are blocks of their own.
struct BlockPartition {
    /// The block of each element, in row-major order; numbered as they first occur.
    let blockOfElement: [UInt32]
    let count: Int

    /// - Parameters:
    ///   - rowAxis: the axis of the outputs; nil only for blocks of one output.
    ///   - inputAxis: the axis of the inputs; nil only for blocks of one input.
    init(_ shape: Shape, outputs: Int, inputs: Int, rowAxis: Int?, inputAxis: Int?) {
        let strides = shape.strides
        func side(_ axis: Int?, _ length: Int) -> (stride: Int, extent: Int, length: Int) {
            guard let axis else { return (1, 1, 1) }
            return (strides[axis], shape[axis], length)
        }
        let (row, input) = (side(rowAxis, outputs), side(inputAxis, inputs))
        var blocks = [UInt32](repeating: 0, count: shape.count)
        var next = 0
        for position in blocks.indices {
            let pastRow = position / row.stride % row.extent % row.length
            let pastInput = position / input.stride % input.extent % input.length
            if pastRow == 0, pastInput == 0 {
                blocks[position] = UInt32(next)
                next += 1
            } else {
                // The block's first element, which was passed already.
                blocks[position] = blocks[position - pastRow * row.stride - pastInput * input.stride]
            }
        }
        blockOfElement = blocks
        count = next
    }

    /// What the elements' scores amount to for each block. So that blocks at the edges, which are smaller, are not preferred,
    /// it is per element: for ``Reduction/sum`` the mean, for ``Reduction/euclidean`` the root of the mean square.
    func scores(of elements: [Float], by reduction: Reduction) -> [Float] {
        var totals = [RunningReduction](repeating: RunningReduction(), count: count)
        for (element, score) in elements.enumerated() { totals[Int(blockOfElement[element])].add(score) }
        return totals.map { Float($0.reducedPerElement(reduction)) }
    }
}
