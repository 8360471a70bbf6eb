import EspalierTensors
import Testing

struct TensorTests {
    @Test func copiesShareUntilWritten() {
        let original = Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])
        var copy = original
        copy.withUnsafeMutableScalars(of: Float.self) { $0[0] = 9 }
        #expect(original.scalars(as: Float.self) == [1, 2, 3, 4])
        #expect(copy.scalars(as: Float.self) == [9, 2, 3, 4])
    }

    @Test func halfPrecisionRoundTripsEveryFiniteBitPattern() {
        for bits in UInt16.min...UInt16.max where (bits >> 10) & 0x1F != 31 {
            #expect(HalfPrecision.float16(HalfPrecision.float(float16: bits)) == bits)
        }
    }

    @Test(
        arguments: [
            (Float(1) + 0x1p-11, UInt16(0x3C00)), (1 + 0x1p-11 + 0x1p-20, 0x3C01), (65_519, 0x7BFF),
            (65_520, 0x7C00),
            (0x1p-25, 0), (0x1.8p-24, 2), (-0x1p-24, 0x8001),
        ] as [(Float, UInt16)])
    func halfPrecisionRoundsToNearestEven(value: Float, bits: UInt16) {
        #expect(HalfPrecision.float16(value) == bits)
    }

    @Test func conversionFollowsCast() {
        let values = Tensor(shape: [4], scalars: [-1.9, 0, 2.5, .nan] as [Float])
        #expect(values.converted(to: .int32).scalars(as: Int64.self) == [-1, 0, 2, 0])
        #expect(values.converted(to: .bool).scalars(as: Int64.self) == [1, 0, 1, 1])
    }

    @Test(
        arguments: [
            ([3, 1, 5], [4, 1], [3, 4, 5]), ([2], [], [2]), ([2], [3], nil), ([0], [1], [0]),
        ] as [([Int], [Int], [Int]?)])
    func broadcasting(left: [Int], right: [Int], expected: [Int]?) {
        #expect(Shape(left).broadcast(with: Shape(right)) == expected.map { Shape($0) })
        #expect(Shape(right).broadcast(with: Shape(left)) == expected.map { Shape($0) })
    }

    @Test func checkedCountRefusesHostileClaims() {
        #expect(Shape([Int.max, 2]).checkedCount() == nil)
        #expect(Shape([-1, 2]).checkedCount() == nil)
        #expect(Shape([0, Int.max, Int.max]).checkedCount() == 0)
        #expect(Shape([3, 4]).checkedCount() == 12)
    }
}

struct RandomSourceTests {
    @Test func sameSeedSameStreamAndSplitsDiffer() {
        var first = RandomSource(seed: 7)
        var second = RandomSource(seed: 7)
        #expect((0..<8).map { _ in first.next() } == (0..<8).map { _ in second.next() })
        var left = first.split("left")
        var right = first.split("right")
        #expect(left.next() != right.next())
    }

    @Test func normalHasUnitMoments() {
        var random = RandomSource(seed: 1)
        let draws = (0..<200_000).map { _ in random.normal() }
        let mean = draws.reduce(0, +) / Double(draws.count)
        let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws.count)
        // Standard errors are 0.0022 and 0.0032: five of them.
        #expect(abs(mean) < 0.012)
        #expect(abs(variance - 1) < 0.016)
    }
}
