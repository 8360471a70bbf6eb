import CSparseKernels

/// Loops over floats that oneDNN has no primitive for.
enum ElementLoops {
    /// target += source.
    static func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
        espalier_add(espalier_isa_active(), source, target, count)
    }

    /// target += source^2.
    static func addSquares(
        of source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int
    ) {
        espalier_add_squares(espalier_isa_active(), source, target, count)
    }

    /// target = source^2.
    static func square(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        espalier_square(espalier_isa_active(), source, target, count)
    }
}
