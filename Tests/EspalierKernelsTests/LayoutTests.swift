import EspalierKernels
import EspalierTensors
import Testing

@Suite struct LayoutTests {
    @Test func plainLayoutsAreRowMajor() throws {
        let layout = try DNNLayout.plain([2, 3, 4])
        #expect(layout.isPlain)
        #expect(layout.strides == [12, 4, 1])
        #expect(layout.byteCount == 96)
        #expect(layout.name == "abc")
        #expect(try DNNLayout.plain([]).shape == [1])
    }

    @Test func stridedLayoutsArePlainOnlyWhereTheirBytesAre() throws {
        #expect(try !DNNLayout.strided([3, 4], strides: [1, 3]).isPlain)
        #expect(try !DNNLayout.strided([3, 4], strides: [5, 1]).isPlain)
        // The stride of an axis of one element means nothing.
        let oddStride = try DNNLayout.strided([3, 1, 4], strides: [4, 77, 1])
        #expect(oddStride.isPlain)
        #expect(try oddStride == .plain([3, 1, 4]))
        #expect(try oddStride.hashValue == DNNLayout.plain([3, 1, 4]).hashValue)
        #expect(try oddStride != .plain([3, 4]))
    }

    @Test func transposingAVectorOfOnesIsPlain() throws {
        let layout = try DNNLayout.plain([5, 7, 2])
        let moved = try layout.transposed([2, 0, 1])
        #expect(moved.shape == [2, 5, 7])
        #expect(moved.strides == [1, 14, 2])
        #expect(try DNNLayout.plain([1, 7]).transposed([1, 0]).isPlain)
    }

    @Test func channelsLastPutsTheChannelsInnermost() throws {
        #expect(try DNNLayout.channelsLast([2, 3, 4, 5]).strides == [60, 1, 15, 3])
        #expect(try DNNLayout.channelsLast([2, 3, 4]).strides == [12, 1, 3])
        #expect(try DNNLayout.channelsLast([2, 1, 4, 5]).isPlain)
        #expect(try DNNLayout.channelsLast([2, 3]).isPlain)
        #expect(throws: DNNError.self) { try DNNLayout.channelsLast([2]) }
    }

    @Test func reshapingKeepsTheBytes() throws {
        #expect(try DNNLayout.plain([2, 3, 4]).reshaped(to: [6, 4]) == .plain([6, 4]))
        #expect(throws: DNNError.self) { try DNNLayout.plain([2, 3]).reshaped(to: [5]) }
    }

    @Test func impossibleLayoutsAreRefusedWithTheirExtents() throws {
        let error = #expect(throws: DNNError.self) {
            try DNNLayout.plain(Shape([Int](repeating: 2, count: 13)))
        }
        #expect(error?.message.contains("13 axes") == true)
        #expect(throws: DNNError.self) { try DNNLayout.plain([Int.max, 2]) }
        #expect(throws: DNNError.self) { try DNNLayout.plain([3, -1]) }
        #expect(throws: DNNError.self) { try DNNLayout.strided([3, 2], strides: [1]) }
    }

    /// The blocked layouts that a convolution asks for: through one and back, every element is where it was.
    @Test(arguments: [[2, 16, 5, 5], [1, 19, 4, 3], [3, 3, 7, 7]])
    func reorderingRoundTrips(extents: [Int]) throws {
        let convolution = try DNNConvolution(source: Shape(extents), weights: [32, extents[1], 3, 3])
        let primitive = try DNNPrimitive.convolution(convolution, bias: false)
        var random = RandomSource(seed: 7)
        for argument in [DNNArgument.source, .weights, .destination] {
            let layout = try primitive.layout(of: argument)
            let values = random.floats(layout.shape.count)
            #expect(try Memory(values, in: layout).values() == values, "\(layout)")
        }
    }

    @Test func regionsAddressPartOfATensor() throws {
        let values = (0..<24).map { Float($0) }
        let whole = try Memory(values, in: .plain([2, 3, 4]))
        let part = try whole.layout.region([2, 2, 3], at: [0, 1, 1])
        let result = Memory(try .plain([2, 2, 3]))
        try DNNPrimitive.reorder(from: part, to: result.layout).runOnce([
            .source: whole.pointer, .destination: result.pointer,
        ])
        #expect(Array(result.floats) == [5, 6, 7, 9, 10, 11, 17, 18, 19, 21, 22, 23])
        #expect(!part.isPlain)
    }
}
