import EspalierTensors

/// How a weight falls into blocks: runs of elements within a row of its first axis, none longer than ``largest``, all of a row
/// nearly equally long.
///
/// No block reaches over two rows, so what is said of one output does not depend on which others lie beside it. Where a
/// row has more than ``largest`` elements, the order of its inputs decides which of them share a block.
struct BlockLayout {
    static let largest = 32

    private let rowLength: Int
    private let blocksPerRow: Int
    /// Rows of a block's matrix.
    let size: Int
    /// Blocks in all.
    let count: Int

    init(_ shape: Shape) {
        let rows = max(shape.extents.first ?? 1, 1)
        rowLength = max(shape.count / rows, 1)
        blocksPerRow = (rowLength + Self.largest - 1) / Self.largest
        size = (rowLength + blocksPerRow - 1) / blocksPerRow
        count = rows * blocksPerRow
    }

    /// The elements of a block, in row-major order of the weight.
    func elements(of block: Int) -> Range<Int> {
        let row = block / blocksPerRow * rowLength
        let first = block % blocksPerRow * size
        return (row + min(first, rowLength))..<(row + min(first + size, rowLength))
    }

    func block(of element: Int) -> Int {
        element / rowLength * blocksPerRow + element % rowLength / size
    }

    /// The place of an element in its block.
    func place(of element: Int) -> Int { element % rowLength % size }
}
