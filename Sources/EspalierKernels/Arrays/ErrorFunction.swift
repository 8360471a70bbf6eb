import CSparseKernels

/// The error function of arrays, within 1.6e-7.
package enum ErrorFunction {
    /// The arrays may be the same.
    package static func apply(
        to source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int
    ) {
        espalier_error_function(espalier_isa_active(), source, target, count)
    }
}
