/// The extents of a product by tiles (``SparseMatrix``), and whether leaving out the zeros is faster than not.
package struct SparseWork {
    package var rows: Int
    /// Elements of a row.
    package var depth: Int
    package var columns: Int
    /// The share of the elements that are not zero.
    package var density: Double

    package init(rows: Int, depth: Int, columns: Int, density: Double) {
        self.rows = rows
        self.depth = depth
        self.columns = columns
        self.density = density
    }

    /// Whether the sparse kernel should win by a tenth at least.
    package var isWorthwhile: Bool { sparseCost < 0.9 * denseCost }

    // Both in lines (16 floats) of multiplications and additions, of which a core does one or two a cycle; fitted to
    // the shapes of resnet-50 and BERT with AVX-512, see docs/performance-notes.md.

    /// oneDNN reaches nearly all that the core can do.
    private var denseCost: Double { lines * Double(rows) * Double(depth) / 0.95 }

    /// A nonzero takes 1.02 + 1.36 / u lines' time, u being the lines of a tile; loading and storing the sums of a row 2.7
    /// for every block of inputs, copying an input into the tile 5.
    private var sparseCost: Double {
        let blocks = (Double(depth) / 96).rounded(.up)
        let perNonzero = 1.02 + 1.36 / min(lines, 6)
        return lines
            * (perNonzero * density * Double(rows) * Double(depth) + 2.7 * Double(rows) * blocks
                + 5 * Double(depth))
    }

    private var lines: Double { (Double(columns) / 16).rounded(.up) }
}
