import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Testing

struct InputUnitsTests {
    private static let shapes: [(raw: [Int], layout: Preprocessing.Layout)] = [
        ([3, 2, 4], .asGiven), ([3, 2, 4], .channelsFirst), ([3, 2, 4], .channelsLast), ([3, 2, 4], .flat),
        ([3], .asGiven), ([3, 5], .asGiven),
    ]

    private func dataset(
        _ values: [Float], _ shape: [Int], _ preprocessing: Preprocessing, samples: Int = 1
    ) throws -> Dataset {
        let raw = Tensor(shape: Shape([samples] + shape), scalars: values)
        return try Dataset(
            name: "points", inputs: [.init(name: "x", values: try preprocessing.apply(to: raw))],
            labels: .classes([Int32](repeating: 0, count: samples), count: 2), preprocessing: preprocessing)
    }

    /// The ends of each value's range are what preparing a sample of zeros and one of ones makes of it, wherever channels lie: each
    /// has a deviation of its own.
    @Test(arguments: shapes.indices) func endsArePreparedZerosAndOnes(place: Int) throws {
        let (shape, layout) = Self.shapes[place]
        let count = shape.reduce(1, *)
        let preprocessing = Preprocessing(
            mean: [0.1, 0.2, 0.4], standardDeviation: [1, 0.25, 0.01], layout: layout)
        let (zeros, ones) = (
            try dataset([Float](repeating: 0, count: count), shape, preprocessing),
            try dataset([Float](repeating: 1, count: count), shape, preprocessing)
        )
        let units = InputUnits(ones)
        #expect(units.lower == zeros.x.scalars(as: Float.self))
        #expect(units.upper == ones.x.scalars(as: Float.self))
        for (deviation, (low, high)) in zip(units.deviations, zip(units.lower, units.upper)) {
            #expect(abs((high - low) * deviation - 1) < 1e-5)
        }
    }

    /// A single value outside of 0 to 1 shows that the samples are no images; rounding does not.
    @Test func onlyImagesStayBetweenTheirEnds() throws {
        let preprocessing = Preprocessing(mean: [0.1307], standardDeviation: [0.3081])
        let images = try dataset([0, 1, 0.3, 1], [1, 2, 1], preprocessing, samples: 2)
        #expect(InputUnits(images).upper.allSatisfy { $0.isFinite })
        for value: Float in [-0.5, 1.01, 7] {
            let others = try dataset([0, 1, value, 1], [1, 2, 1], preprocessing, samples: 2)
            let units = InputUnits(others)
            #expect(units.lower.allSatisfy { $0 == -.infinity } && units.upper.allSatisfy { $0 == .infinity })
        }
    }
}
