import CSparseKernels
import EspalierTensors
import Testing

/// Loops that are measured must do what they are counted for.
struct CeilingTests {
    /// Every chain goes to 1, and a turn has as many multiply-accumulates as there are numbers in all chains.
    @Test(arguments: InstructionSet.supported)
    func chainsReachTheirFixedPoint(set: InstructionSet) {
        let count = espalier_multiplies_per_turn(set.raw)
        #expect(count >= 8)
        #expect(espalier_multiply_in_registers(set.raw, 100) == Float(count))
        // Chain c starts at c.
        let lanes = set.raw == ESPALIER_ISA_AVX512 ? 16 : set.raw == ESPALIER_ISA_AVX2 ? 8 : 4
        let chains = count / lanes
        #expect(espalier_multiply_in_registers(set.raw, 0) == Float(lanes * chains * (chains - 1) / 2))
    }

    /// Whole numbers, whose sum is exact in any order.
    @Test(arguments: InstructionSet.supported, [0, 1, 2, 5])
    func everyNumberIsRead(set: InstructionSet, blocks: Int) {
        let count = blocks * espalier_read_granularity()
        let numbers = (0..<count).map { Float($0 % 31) }
        #expect(espalier_read(set.raw, numbers, count) == numbers.reduce(0, +))
    }

    @Test func cachesGrow() {
        let sizes = (1...3).map { espalier_cache_bytes($0) }.filter { $0 > 0 }
        #expect(sizes == sizes.sorted())
        #expect(espalier_cache_bytes(0) == 0 && espalier_cache_bytes(9) == 0)
    }

    @Test(arguments: InstructionSet.supported, [1, 7, 33])
    func compressedRowsMatchLoops(set: InstructionSet, samples: Int) {
        var random = RandomSource(seed: 7)
        let (rows, columns) = (9, 21)
        var starts: [UInt32] = [0]
        var places: [UInt32] = []
        for row in 0..<rows {
            // One row has nothing, one everything.
            let share = row == 3 ? 0 : row == 4 ? 1 : 0.3
            for column in 0..<columns where random.uniform() < share { places.append(UInt32(column)) }
            starts.append(UInt32(places.count))
        }
        let values = places.map { _ in random.uniform(in: -1...1) }
        let input = (0..<(columns * samples)).map { _ in random.uniform(in: -1...1) }
        var output = [Float](repeating: .nan, count: rows * samples)
        starts.withUnsafeBufferPointer { starts in
            places.withUnsafeBufferPointer { places in
                values.withUnsafeBufferPointer { values in
                    var matrix = espalier_csr_matrix(
                        rows: rows, starts: starts.baseAddress, columns: places.baseAddress,
                        values: values.baseAddress)
                    espalier_csr_multiply(set.raw, &matrix, input, &output, samples)
                }
            }
        }
        for row in 0..<rows {
            for sample in 0..<samples {
                var sum = 0.0
                for place in Int(starts[row])..<Int(starts[row + 1]) {
                    sum += Double(values[place]) * Double(input[Int(places[place]) * samples + sample])
                }
                #expect(abs(Double(output[row * samples + sample]) - sum) < 1e-5)
            }
        }
    }
}
