import COneDNN

/// A compiled oneDNN operation.
///
/// It is immutable and may be shared by calls on several lanes, all of which must have the thread count of the
/// thread that created it. Its scratch memory belongs to the caller.
///
/// ```swift
/// let product = try DNNPrimitive.matrixProduct(
///     source: .any([64, 784]), weights: .any([784, 300]), destination: .any([64, 300]))
/// let weightsLayout = try product.layout(of: .weights)
/// let call = try product.call([.source: x, .weights: w, .destination: y], scratch: scratch)
/// try call.run()
/// ```
package final class DNNPrimitive: @unchecked Sendable {
    // Unchecked: the C object is never written to after it was made.
    let handle: OpaquePointer

    /// The size of the scratch memory that a call needs; 64-byte aligned memory is fastest.
    package let scratchByteCount: Int
    /// The name of oneDNN's implementation, such as `brgconv:avx512_core`.
    package let implementationName: String
    /// The thread count that it was created for, and must be run with.
    package let threads: Int

    /// Whether oneDNN falls back to plain loops, hundreds of times slower than its kernels: another combination of layouts
    /// is worth a try.
    package var isReference: Bool { implementationName.hasPrefix("ref") }

    /// Whether it multiplies `bfloat16` by instructions made for it, and not by converting: as its name tells, such as
    /// `brgconv:avx512_core_bf16`.
    package var isNativeBFloat16: Bool {
        let instructions = implementationName.split(separator: ":").last ?? ""
        return ["bf16", "amx", "avx10"].contains { instructions.contains($0) }
    }

    /// Takes over a C object; nil becomes the calling thread's last failure.
    init(adopting handle: OpaquePointer?) throws(DNNError) {
        guard let handle else { throw DNNError.last() }
        self.handle = handle
        scratchByteCount = espalier_dnn_primitive_scratch_byte_count(handle)
        implementationName = String(cString: espalier_dnn_primitive_implementation(handle))
        threads = Int(espalier_dnn_primitive_threads(handle))
    }

    deinit { espalier_dnn_primitive_destroy(handle) }

    /// The layout that `argument` must have.
    ///
    /// - Throws: `DNNError` if the primitive has no such argument.
    package func layout(of argument: DNNArgument) throws(DNNError) -> DNNLayout {
        try DNNLayout(adopting: espalier_dnn_primitive_layout(handle, argument.rawValue))
    }

    /// The layout that `argument` must have, or nil if the primitive has no such argument (such as a workspace).
    package func layoutIfPresent(of argument: DNNArgument) -> DNNLayout? {
        try? layout(of: argument)
    }
}

/// Makes a primitive from a description whose operands `scope` keeps alive.
func makePrimitive(
    _ make: (OperandScope) throws(DNNError) -> OpaquePointer?
) throws(DNNError) -> DNNPrimitive {
    let scope = OperandScope()
    defer { withExtendedLifetime(scope) {} }
    return try DNNPrimitive(adopting: make(scope))
}
