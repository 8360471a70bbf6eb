import EspalierTensors
import Foundation
import Testing

struct TensorTests {
    @Test func copiesShareUntilWritten() {
        let original = Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])
        var copy = original
        copy.withUnsafeMutableScalars(of: Float.self) { $0[0] = 9 }
        #expect(original.scalars(as: Float.self) == [1, 2, 3, 4])
        #expect(copy.scalars(as: Float.self) == [9, 2, 3, 4])
    }

    /// A part of a file is read like memory, and what is written to it goes into a copy.
    @Test(arguments: [0, 64, 8256])
    func partsOfFilesAreReadWhenUsed(offset: Int) throws {
        let path = NSTemporaryDirectory() + "espalier-\(UUID().uuidString).bin"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let numbers = (0..<50_000).map { Float($0) }
        let bytes = Data(count: offset) + numbers.withUnsafeBytes { Data($0) }
        try bytes.write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let byteCount = 4 * numbers.count
        #expect(AlignedStorage(file: file.fileDescriptor, at: offset + 4, byteCount: byteCount) == nil)
        let storage = try #require(
            AlignedStorage(file: file.fileDescriptor, at: offset, byteCount: byteCount))
        try file.close()
        var tensor = Tensor(shape: [numbers.count], dtype: .float32, storage: storage)
        #expect(tensor.scalars(as: Float.self) == numbers)
        storage.releasePages()
        #expect(tensor.scalars(as: Float.self) == numbers)
        tensor.withUnsafeMutableScalars(of: Float.self) { $0[0] = 9 }
        #expect(tensor.storage !== storage && tensor.scalars(as: Float.self)[0] == 9)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    /// From one size on memory comes from the system, as zeros.
    @Test(arguments: [0, 3, (1 << 20) - 1, 1 << 20, (1 << 20) + 5])
    func memoryIsZeroedAndAligned(byteCount: Int) {
        let storage = AlignedStorage(byteCount: byteCount)
        let bytes = UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount)
        #expect(bytes.allSatisfy { $0 == 0 })
        #expect(Int(bitPattern: storage.base) % AlignedStorage.alignment == 0)
        bytes.initializeMemory(as: UInt8.self, repeating: 7)
        let copy = AlignedStorage(copying: storage)
        #expect(UnsafeRawBufferPointer(start: copy.base, count: byteCount).allSatisfy { $0 == 7 })
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

    /// Half of the numbers of 64 bits without a sign are beyond those with one.
    @Test func unsignedNumbersKeepTheirValue() {
        let values = Tensor(
            shape: [4], scalars: [.max, 1 << 63, 10_000_000_000_000_000_000, 7] as [UInt64])
        #expect(values.scalars(as: Double.self) == [0x1p64, 0x1p63, 1e19, 7])
        #expect(values.scalars(as: Float.self) == [0x1p64, 0x1p63, 1e19, 7])
        #expect(values.scalars(as: Int64.self) == [-1, .min, -8_446_744_073_709_551_616, 7])
        for dtype in [DType.float32, .float64] {
            let back = values.converted(to: dtype).converted(to: .uint64).scalars(as: UInt64.self)
            #expect(back[0] == .max && back[1] == 1 << 63 && back[3] == 7)
        }
        let exact = values.converted(to: .float64).converted(to: .uint64)
        #expect(exact.scalars(as: UInt64.self)[2] == 10_000_000_000_000_000_000)
        #expect(values.converted(to: .bool).scalars(as: Int64.self) == [1, 1, 1, 1])
        #expect(values.converted(to: .int64).converted(to: .uint64).scalars(as: UInt64.self)[0] == .max)
        let reals = Tensor(shape: [4], scalars: [1e19, 0x1p63, 2.9, .nan] as [Double])
        let whole = reals.converted(to: .uint64).scalars(as: UInt64.self)
        #expect(whole == [10_000_000_000_000_000_000, 1 << 63, 2, 0])
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
        #expect(Shape([0, Int.max, Int.max]).checkedCount() == nil)
        #expect(Shape([1 << 40, 1 << 40, 0]).checkedCount() == nil)
        #expect(Shape([0, -1]).checkedCount() == nil)
        #expect(Shape([1 << 40, 0, 0]).checkedCount() == 0)
        #expect(Shape([0, 5]).checkedCount(limit: 4) == nil)
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
