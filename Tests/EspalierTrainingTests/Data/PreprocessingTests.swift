import EspalierTensors
import EspalierTraining
import Testing

struct PreprocessingTests {
    /// Two samples of two channels of 1 x 2 pixels.
    private let raw = Tensor(shape: [2, 2, 1, 2], scalars: [0, 10, 20, 30, 40, 50, 60, 70] as [UInt8])

    @Test func channelsAreScaledShiftedAndDivided() throws {
        let preprocessing = Preprocessing(scale: 0.1, mean: [1, 2], standardDeviation: [0.5, 4])
        let values = try preprocessing.apply(to: raw).scalars(as: Float.self)
        let expected: [Float] = [-2, 0, 0, 0.25, 6, 8, 1, 1.25]
        #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(values)")
        #expect(preprocessing.valueOfZero(channel: 0) == -2)
        #expect(preprocessing.valueOfZero(channel: 1) == -0.5)
    }

    @Test func oneMeanServesAllChannels() throws {
        let values = try Preprocessing(mean: [10], standardDeviation: [10]).apply(to: raw)
        #expect(values.scalars(as: Float.self) == [-1, 0, 1, 2, 3, 4, 5, 6])
    }

    @Test(
        arguments: [DType.uint8, .int64, .float16, .float64])
    func anyElementTypeWillDo(dtype: DType) throws {
        let values = try Preprocessing(scale: 0.5).apply(to: raw.converted(to: dtype))
        #expect(values.dtype == .float32)
        #expect(values.scalars(as: Float.self) == [0, 5, 10, 15, 20, 25, 30, 35])
    }

    @Test(
        arguments: [
            (.asGiven, [2, 2, 1, 2], [0, 10, 20, 30, 40, 50, 60, 70]),
            (.channelsFirst, [2, 2, 1, 2], [0, 10, 20, 30, 40, 50, 60, 70]),
            (.channelsLast, [2, 1, 2, 2], [0, 20, 10, 30, 40, 60, 50, 70]),
            (.flat, [2, 4], [0, 10, 20, 30, 40, 50, 60, 70]),
        ] as [(Preprocessing.Layout, [Int], [Float])])
    func layouts(layout: Preprocessing.Layout, extents: [Int], expected: [Float]) throws {
        let values = try Preprocessing(layout: layout).apply(to: raw)
        #expect(values.shape == Shape(extents))
        #expect(values.scalars(as: Float.self) == expected)
    }

    @Test(
        arguments: [
            Preprocessing(mean: [1, 2, 3]), Preprocessing(standardDeviation: [1, 2, 3]),
            Preprocessing(standardDeviation: [0]), Preprocessing(standardDeviation: [-1]),
            Preprocessing(scale: .infinity), Preprocessing(mean: [.nan]),
        ])
    func impossibleValuesAreRefused(preprocessing: Preprocessing) {
        dataError(.inconsistent) { _ = try preprocessing.apply(to: raw) }
    }

    @Test func imageLayoutsNeedImages() {
        dataError(.inconsistent) {
            _ = try Preprocessing(layout: .channelsLast).apply(to: Tensor(zeros: [3, 4]))
        }
    }

    @Test(arguments: [[5, 1, 0, 8], [5, 0], [5, 0, 4, 4], [2, 3, 4, 0]])
    func samplesWithoutValuesAreRefused(extents: [Int]) {
        let empty = Tensor(zeros: Shape(extents))
        dataError(.inconsistent) { _ = try Preprocessing(scale: 0.5).apply(to: empty) }
        dataError(.inconsistent) { _ = try Preprocessing.identity.apply(to: empty) }
    }

    @Test(
        arguments: [
            Preprocessing.identity, Preprocessing(scale: 1 / 255),
            Preprocessing(
                scale: 1 / 3, mean: [0.485, 0.456, 0.1],
                standardDeviation: [0.229, .leastNonzeroMagnitude, 1e30],
                layout: .channelsLast),
        ])
    func textRoundTripsExactly(preprocessing: Preprocessing) throws {
        let text = try preprocessing.text()
        #expect(!text.contains("\n"))
        #expect(try Preprocessing(text: text) == preprocessing)
    }

    @Test(
        arguments: [
            "", "{}", "[1]",
            "{\"schemaVersion\":2,\"scale\":1,\"mean\":[],\"standardDeviation\":[],\"layout\":\"flat\"}",
            "{\"schemaVersion\":1,\"scale\":1,\"mean\":[],\"standardDeviation\":[],\"layout\":\"upside down\"}",
        ])
    func foreignTextIsRefused(text: String) {
        dataError(.malformed) { _ = try Preprocessing(text: text) }
    }
}
