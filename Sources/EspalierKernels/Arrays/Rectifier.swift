import CSparseKernels

/// The rectified linear function of arrays, which may be the same: a loop over two pointers would go element by element in place,
/// where they overlap as far as the compiler knows.
package enum Rectifier {
    /// 0 where `source` is less, and `source` elsewhere: not-a-number and -0 stay.
    package static func apply(
        to source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int
    ) {
        espalier_relu(espalier_isa_active(), source, target, count)
    }

    /// `gradient` where `output`, of the function, is greater than 0, and 0 elsewhere.
    package static func gradient(
        at output: UnsafePointer<Float>, times gradient: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, count: Int
    ) {
        espalier_relu_gradient(espalier_isa_active(), output, gradient, target, count)
    }
}
