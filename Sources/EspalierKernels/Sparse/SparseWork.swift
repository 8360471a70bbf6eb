/// The extents of a product with a sparse matrix on the left, and whether leaving out its zeros is faster than not.
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

    /// In lines (16 floats) of multiply-accumulates by which nothing but the multiplications is counted: a dense product reaches about
    /// 0.85 of that.
    private var denseCost: Double { Double(rows) * Double(depth) * lines / 0.85 }

    /// Measured with the tiles on AVX-512: each nonzero costs 1.2 lines' time, each row and block of inputs 2.7 for its sums, and
    /// filling the tile one for each input.
    private var sparseCost: Double {
        let blocks = (Double(depth) / 96).rounded(.up)
        return lines
            * (1.2 * density * Double(rows) * Double(depth) + 2.7 * Double(rows) * blocks + 1.5
                * Double(depth))
    }

    private var lines: Double { (Double(columns) / 16).rounded(.up) }
}
