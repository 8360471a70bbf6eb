import EspalierKernels
import EspalierTensors
import Testing

/// Narrow numbers in oneDNN: how they lie, how they are rounded, and that they are summed in float32.
@Suite(.enabled(if: DNNLibrary.hasNativeBFloat16, "needs AVX512_BF16 or AMX"))
struct BFloat16Tests {
    @Test func layoutsKeepTheirOrder() throws {
        let wide = try DNNLayout.channelsLast([2, 3, 4, 5])
        let narrow = try wide.converted(to: .bfloat16)
        #expect(narrow.strides == wide.strides && narrow.shape == wide.shape)
        #expect(narrow.byteCount == wide.byteCount / 2)
        #expect(wide.element == .float32 && narrow.element == .bfloat16)
        #expect(narrow != wide && !narrow.isPlain)
        #expect(try narrow.converted(to: .float32) == wide)
        #expect(try narrow == wide.converted(to: .bfloat16))
        let plain = try DNNLayout.plain([6])
        #expect(try plain.converted(to: .float32).isPlain && !plain.converted(to: .bfloat16).isPlain)
    }

    /// Layouts in blocks have no strides to keep.
    @Test func blockedLayoutsAreNotConverted() throws {
        let primitive = try DNNPrimitive.matrixProduct(
            source: .layout(try DNNLayout.plain([64, 256]).converted(to: .bfloat16)),
            weights: .any([256, 128], .bfloat16), destination: .plain([64, 128]))
        let weights = try primitive.layout(of: .weights)
        #expect(weights.element == .bfloat16 && weights.byteCount == 2 * 256 * 128)
        guard weights.strides == nil else { return }
        #expect(throws: DNNError.self) { try weights.converted(to: .float32) }
    }

    @Test func copiesRoundToNearestAndTiesToEven() throws {
        let pairs: [(Float, Float)] = [
            (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7), (1 + 3 * 0x1p-8, 1 + 0x1p-6), (-0.0, -0.0),
            (-1 - 0x1p-9, -1), (.infinity, .infinity), (.greatestFiniteMagnitude, .infinity),
            (0x1p-120, 0x1p-120),
        ]
        let layout = try DNNLayout.plain([pairs.count]).converted(to: .bfloat16)
        let found = try Memory(pairs.map(\.0), in: layout).values()
        #expect(found.map(\.bitPattern) == pairs.map(\.1.bitPattern))
        #expect(try Memory([.nan], in: .plain([1]).converted(to: .bfloat16)).values()[0].isNaN)
    }

    /// 257 is no bfloat16, but a sum of ones.
    @Test func productsAreSummedInFloat32() throws {
        let (rows, inner, columns) = (40, 257, 48)
        let primitive = try DNNPrimitive.matrixProduct(
            source: .layout(try DNNLayout.plain([rows, inner]).converted(to: .bfloat16)),
            weights: .any([inner, columns], .bfloat16), destination: .plain([rows, columns]))
        #expect(primitive.isNativeBFloat16, "\(primitive.implementationName)")
        let ones = [Float](repeating: 1, count: rows * inner)
        let weights = [Float](repeating: 1, count: inner * columns)
        let execution = try Execution(
            primitive, [.source: ones, .weights: weights], outputs: [.destination])
        #expect(try execution.values(.destination).allSatisfy { $0 == 257 })
    }

    @Test func convolutionsAreSummedInFloat32() throws {
        let convolution = try DNNConvolution(source: [1, 32, 6, 6], weights: [48, 32, 3, 3])
        let source = try DNNLayout.channelsLast(convolution.source)
        let primitive = try DNNPrimitive.convolution(
            convolution, bias: false, source: try source.converted(to: .bfloat16),
            destination: .channelsLast(convolution.destination))
        #expect(primitive.isNativeBFloat16, "\(primitive.implementationName)")
        #expect(try primitive.layout(of: .weights).element == .bfloat16)
        let ones = [Float](repeating: 1, count: convolution.source.count)
        var weights = [Float](repeating: 1, count: convolution.weights.count)
        // 289 instead of 288, both no bfloat16.
        for filter in 0..<48 { weights[filter * 288] = 2 }
        let execution = try Execution(
            primitive, [.source: ones, .weights: weights], outputs: [.destination])
        #expect(try execution.values(.destination).allSatisfy { $0 == 289 })
    }

    @Test func float32PrimitivesAreNotNarrow() throws {
        let primitive = try DNNPrimitive.matrixProduct(
            source: .plain([64, 256]), weights: .any([256, 128]), destination: .plain([64, 128]))
        #expect(!primitive.isNativeBFloat16, "\(primitive.implementationName)")
    }
}
