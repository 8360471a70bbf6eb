import EspalierKernels

extension StagedKernel.Builder {
    /// Prepares a product in `bfloat16`: adds the step that converts its source.
    ///
    /// - Parameters:
    ///   - place: of the source, which lies as `layout` says.
    ///   - converted: how it shall lie, of `bfloat16`.
    ///   - make: the product's primitive.
    /// - Returns: the primitive and the place of its source; nil, with nothing added, where oneDNN has no implementation with
    ///   instructions made for `bfloat16`, and `float32` is faster.
    mutating func convertSource(
        _ place: StagedKernel.Place, from layout: DNNLayout, to converted: DNNLayout,
        for make: () throws(OperatorError) -> DNNPrimitive
    ) throws(OperatorError) -> (primitive: DNNPrimitive, source: StagedKernel.Place)? {
        let primitive: DNNPrimitive
        do throws(OperatorError) {
            primitive = try make()
        } catch .unsupported {
            return nil
        }
        guard primitive.isNativeBFloat16 else { return nil }
        let source = scratch(byteCount: converted.byteCount)
        try reorder(place, from: layout, to: source, converted)
        weightFormat = .denseBFloat16
        return (primitive, source)
    }
}
