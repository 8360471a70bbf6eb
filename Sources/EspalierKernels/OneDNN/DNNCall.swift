import COneDNN

/// A primitive bound to memory, to be run again and again.
///
/// It may be used by one thread at a time. It keeps its primitive alive, but not the memory.
package final class DNNCall {
    private let handle: OpaquePointer
    private let primitive: DNNPrimitive

    /// Binds every argument of `primitive`.
    ///
    /// - Throws: `DNNError` if the bindings are not exactly the primitive's arguments.
    package convenience init(
        _ primitive: DNNPrimitive, bindings: [DNNBinding], scratch: UnsafeMutableRawPointer? = nil
    ) throws(DNNError) {
        try self.init(
            primitive, optionalBindings: bindings.map { ($0.argument, $0.pointer) }, scratch: scratch)
    }

    private init(
        _ primitive: DNNPrimitive, optionalBindings: [(DNNArgument, UnsafeMutableRawPointer?)],
        scratch: UnsafeMutableRawPointer?
    ) throws(DNNError) {
        let bound = optionalBindings.map { espalier_dnn_binding(argument: $0.0.rawValue, pointer: $0.1) }
        guard
            let handle = espalier_dnn_call_create(primitive.handle, bound, Int32(bound.count), scratch)
        else { throw DNNError.last() }
        self.handle = handle
        self.primitive = primitive
    }

    /// Checks that `arguments` are all that `primitive` takes and gives; their memory, and the scratch memory if it
    /// needs any, follow before the first run.
    package convenience init(_ primitive: DNNPrimitive, arguments: [DNNArgument]) throws(DNNError) {
        try self.init(primitive, optionalBindings: arguments.map { ($0, nil) }, scratch: nil)
    }

    deinit { espalier_dnn_call_destroy(handle) }

    /// Runs it on the calling thread and its team, and waits.
    ///
    /// Allocates nothing here. The first run after a pointer changed may zero the padding of the tensors' last
    /// blocks; nothing is written before.
    ///
    /// - Throws: `DNNError` if an argument is missing or the thread count is not the primitive's.
    package func run() throws(DNNError) {
        guard espalier_dnn_call_run(handle) == ESPALIER_DNN_SUCCESS else { throw DNNError.last() }
    }

    /// Runs a call whose arguments and thread count are right by construction, as those of a kernel are.
    ///
    /// - Precondition: ``run()`` would not throw. A failure is a mistake in this package and stops the process with
    ///   oneDNN's message.
    package func runTrusted() {
        let status = espalier_dnn_call_run(handle)
        precondition(status == ESPALIER_DNN_SUCCESS, DNNError.last().message)
    }

    /// Sets or replaces the memory of an argument. Touches none.
    ///
    /// - Precondition: the call was made with the argument.
    package func setPointer(_ pointer: UnsafeMutableRawPointer?, of argument: DNNArgument) {
        let status = espalier_dnn_call_set_pointer(handle, argument.rawValue, pointer)
        precondition(status == ESPALIER_DNN_SUCCESS, DNNError.last().message)
    }

    /// Sets or replaces the scratch memory.
    package func setScratch(_ scratch: UnsafeMutableRawPointer?) {
        espalier_dnn_call_set_scratch(handle, scratch)
    }
}

extension DNNPrimitive {
    /// Binds every argument to memory.
    ///
    /// - Throws: `DNNError` if an argument is not the primitive's, or scratch memory is needed and missing.
    package func call(
        _ pointers: KeyValuePairs<DNNArgument, UnsafeMutableRawPointer>,
        scratch: UnsafeMutableRawPointer? = nil
    ) throws(DNNError) -> DNNCall {
        try DNNCall(self, bindings: pointers.map { DNNBinding($0.key, $0.value) }, scratch: scratch)
    }

    /// Runs it once with scratch memory of its own, for work outside of the hot path such as the reordering of
    /// constants.
    package func runOnce(
        _ pointers: KeyValuePairs<DNNArgument, UnsafeMutableRawPointer>
    ) throws(DNNError) {
        let scratch = UnsafeMutableRawPointer.allocate(
            byteCount: Swift.max(scratchByteCount, 1), alignment: 64)
        defer { scratch.deallocate() }
        try call(pointers, scratch: scratch).run()
    }
}
