import CSparseKernels

/// Products of the transpose of one matrix with another, of which only the lower triangle is computed.
enum TriangleProduct {
    /// Element (row, column) at column * order + row; zeros above the diagonal.
    ///
    /// - Precondition: `left` and `right` have depth * order elements, row-major.
    static func product(_ left: [Double], _ right: [Double], depth: Int, order: Int) -> [Double] {
        var result = [Double](repeating: 0, count: order * order)
        add(left, right, depth: depth, order: order, to: &result, leading: order)
        return result
    }

    /// Adds it to a matrix whose columns begin `leading` elements apart.
    static func add(
        _ left: [Double], _ right: [Double], depth: Int, order: Int, to result: inout [Double], leading: Int
    ) {
        guard depth > 0, order > 0 else { return }
        var scratch = [Double](repeating: 0, count: espalier_triangle_product_scratch(order))
        espalier_add_triangle_product(
            espalier_isa_active(), left, right, depth, order, &result, leading, &scratch)
    }
}
