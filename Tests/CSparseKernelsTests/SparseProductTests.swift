import CSparseKernels
import EspalierTensors
import Testing

/// Every instance of the sparse product against plain loops in double precision.
struct SparseProductTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var rows: Int
        var depth: Int
        var columns: Int
        var density = 0.2
        var pattern = SparsePattern.anywhere
        var activation = Activation.none
        var transposedInput = false
        var transposedOutput = false
        var bias = true
        var residual = false
        /// What is left between rows, or columns if transposed.
        var gap = 0
        var parts = 1

        var testDescription: String { "\(self)" }
        var shape: espalier_sparse_shape {
            espalier_sparse_shape(
                rows: rows, groups: 1, channels: depth, taps: 1, columns: columns, row_parts: parts)
        }
    }

    /// Computes `test` in four ranges; returns the failures, and whether the gaps are as they were.
    private func check(_ set: InstructionSet, _ test: Case, seed: UInt64) {
        var random = RandomSource(seed: seed)
        let weights = test.pattern.weights(
            rows: test.rows, columns: test.depth, density: test.density, &random)
        let inputPitch = (test.transposedInput ? test.depth : test.columns) + test.gap
        let outputPitch = (test.transposedOutput ? test.rows : test.columns) + test.gap
        let input = random.floats((test.transposedInput ? test.columns : test.depth) * inputPitch)
        let outputs = (test.transposedOutput ? test.columns : test.rows) * outputPitch
        let bias = random.floats(test.rows)
        let residual = random.floats(outputs)
        let packed = PackedMatrix(test.shape, weights)
        #expect(packed.bytes <= packed.bound)
        let tiles = espalier_sparse_tiles(packed.pointer, test.columns)
        var output = [Float](repeating: 7, count: outputs)
        output.withUnsafeMutableBufferPointer { output in
            bias.withUnsafeBufferPointer { bias in
                residual.withUnsafeBufferPointer { residual in
                    withAligned(input) { input in
                        var operands = espalier_sparse_operands(
                            columns: test.columns, input: input, input_pitch: inputPitch,
                            input_transposed: test.transposedInput, output: output.baseAddress,
                            output_pitch: outputPitch, output_transposed: test.transposedOutput)
                        var epilogue = test.activation.epilogue(
                            bias: test.bias ? bias.baseAddress : nil,
                            residual: test.residual ? residual.baseAddress : nil)
                        let ranges = packed.ranges(
                            tiles: tiles, cut: random.integer(0...tiles), random.integer(0...packed.rowBlocks)
                        )
                        withScratch(espalier_sparse_product_scratch(packed.pointer)) { scratch in
                            for range in ranges {
                                espalier_sparse_product(
                                    set.raw, packed.pointer, &operands, &epilogue, range, scratch)
                            }
                        }
                    }
                }
            }
        }
        var wrong = 0
        var written = Set<Int>()
        for row in 0..<test.rows {
            for column in 0..<test.columns {
                let place =
                    test.transposedOutput ? column * outputPitch + row : row * outputPitch + column
                written.insert(place)
                var sum = ExactSum()
                if test.bias { sum.add(bias[row]) }
                if test.residual { sum.add(residual[place]) }
                for k in 0..<test.depth {
                    let source = test.transposedInput ? column * inputPitch + k : k * inputPitch + column
                    sum.add(weights[row * test.depth + k], input[source])
                }
                if !sum.matches(output[place], test.activation, terms: test.depth) { wrong += 1 }
            }
        }
        #expect(wrong == 0, "\(wrong) wrong of \(test.rows * test.columns), seed \(seed)")
        let gapsKept = output.indices.allSatisfy { written.contains($0) || output[$0] == 7 }
        #expect(gapsKept, "seed \(seed)")
    }

    /// Tails of lines and registers, and every number of lines in a tile; rows and depths from none on.
    static let extents: [Case] =
        [0, 1, 2, 5, 33].flatMap { rows in
            [0, 1, 3, 4, 7, 70].flatMap { depth in
                [0, 1, 15, 16, 17, 63, 100].map { Case(rows: rows, depth: depth, columns: $0) }
            }
        } + (1...9).map { Case(rows: 9, depth: 40, columns: 16 * $0 - 5) }

    @Test(arguments: InstructionSet.supported)
    func everyExtentIsRight(set: InstructionSet) {
        for (seed, test) in Self.extents.enumerated() { check(set, test, seed: UInt64(seed)) }
    }

    /// No, one, most and all weights, in one and several depth blocks and row blocks.
    static let patterns: [Case] = [0, 0.001, 0.05, 0.5, 0.95, 1].flatMap { density in
        [
            Case(rows: 40, depth: 50, columns: 50, density: density),
            Case(rows: 21, depth: 900, columns: 70, density: density),
            Case(rows: 1500, depth: 20, columns: 20, density: density),
            Case(rows: 90, depth: 30, columns: 40, density: density, parts: 4),
        ]
    }

    /// Rows in bands of four whose columns are full, or any subsets of which have nonzeros; rows that are in none; and
    /// every number of lines and half lines of a band's sums.
    static let bands: [Case] = [
        .anywhere, .blocks(4, 1), .blocks(16, 1), .blocks(4, 4), .blocks(3, 1), .blocks(1, 4),
        .among(2, of: 4),
    ].flatMap { (pattern: SparsePattern) in
        [0.1, 0.5, 0.8, 1].flatMap { density in
            [5, 16, 24, 40, 56, 70, 88, 96, 130].map { columns in
                Case(rows: 24, depth: 90, columns: columns, density: density, pattern: pattern)
            } + [
                Case(rows: 27, depth: 900, columns: 40, density: density, pattern: pattern, residual: true),
                Case(rows: 1030, depth: 70, columns: 20, density: density, pattern: pattern, parts: 3),
            ]
        }
    }

    @Test(arguments: InstructionSet.supported)
    func bandsAreRight(set: InstructionSet) {
        for (seed, test) in Self.bands.enumerated() { check(set, test, seed: UInt64(seed)) }
    }

    /// Lines that are whole and aligned, and used by so few weights that they are not copied; some columns of the matrix are
    /// empty. Then one float further, where they are not aligned.
    static let inPlace: [Case] = [0.03, 0.1, 0.3].flatMap { density in
        [0, 1].flatMap { gap in
            [
                Case(rows: 20, depth: 70, columns: 16, density: density, gap: gap),
                Case(rows: 30, depth: 900, columns: 208, density: density, residual: true, gap: gap),
            ]
        }
    }

    @Test(arguments: InstructionSet.supported, inPlace)
    func activationsInPlaceAreRight(set: InstructionSet, test: Case) { check(set, test, seed: 2) }

    @Test(arguments: InstructionSet.supported, patterns)
    func everyPatternIsRight(set: InstructionSet, test: Case) { check(set, test, seed: 1) }

    static let options: [Case] = Activation.allCases.flatMap { activation in
        (0..<16).map { bits in
            Case(
                rows: 37, depth: 45, columns: 83, activation: activation, transposedInput: bits & 1 > 0,
                transposedOutput: bits & 2 > 0, bias: bits & 4 > 0, residual: bits & 8 > 0, gap: bits % 3)
        }
    }

    @Test(arguments: InstructionSet.supported)
    func everyOptionIsRight(set: InstructionSet) {
        for (seed, test) in Self.options.enumerated() { check(set, test, seed: UInt64(seed)) }
    }

    @Test(arguments: InstructionSet.supported, 0..<20 as Range<UInt64>)
    func anythingIsRight(set: InstructionSet, seed: UInt64) {
        var random = RandomSource(seed: seed)
        check(
            set,
            Case(
                rows: random.integer(0...80), depth: random.integer(0...600),
                columns: random.integer(0...300),
                density: random.uniform(),
                pattern: [.anywhere, .blocks(4, 1), .blocks(8, 3), .among(2, of: 4)].randomElement(
                    using: &random)!,
                activation: Activation.allCases.randomElement(using: &random)!,
                transposedInput: .random(using: &random), transposedOutput: .random(using: &random),
                bias: .random(using: &random), residual: .random(using: &random),
                gap: random.integer(0...3), parts: random.integer(0...5)),
            seed: seed)
    }

    /// What a zero would meet is not there.
    @Test(
        arguments: InstructionSet.supported,
        [.anywhere, .blocks(4, 1), .blocks(3, 1), .among(2, of: 4)] as [SparsePattern])
    func zerosMeetNothing(set: InstructionSet, pattern: SparsePattern) {
        for transposed in [false, true] { checkZeros(set, pattern, transposed: transposed) }
    }

    private func checkZeros(_ set: InstructionSet, _ pattern: SparsePattern, transposed: Bool) {
        let (rows, depth, columns) = (22, 100, 40)
        var random = RandomSource(seed: 3)
        let weights = pattern.weights(rows: rows, columns: depth, density: 0.5, &random)
        let packed = PackedMatrix(Case(rows: rows, depth: depth, columns: columns).shape, weights)
        var input = random.floats(depth * columns)
        for column in 0..<columns { input[transposed ? column * depth + 4 : 4 * columns + column] = .nan }
        var output = [Float](repeating: 0, count: rows * columns)
        output.withUnsafeMutableBufferPointer { output in
            input.withUnsafeBufferPointer { input in
                var operands = espalier_sparse_operands(
                    columns: columns, input: input.baseAddress, input_pitch: transposed ? depth : columns,
                    input_transposed: transposed, output: output.baseAddress, output_pitch: columns,
                    output_transposed: false)
                // The rectifier keeps not-a-number.
                var epilogue = Activation.rectifier.epilogue(bias: nil, residual: nil)
                let tiles = espalier_sparse_tiles(packed.pointer, columns)
                withScratch(espalier_sparse_product_scratch(packed.pointer)) { scratch in
                    for range in packed.ranges(tiles: tiles, cut: tiles, packed.rowBlocks) {
                        espalier_sparse_product(
                            set.raw, packed.pointer, &operands, &epilogue, range, scratch)
                    }
                }
            }
        }
        for row in 0..<rows {
            let meets = weights[row * depth + 4] != 0
            #expect(output[(row * columns)..<((row + 1) * columns)].allSatisfy { $0.isNaN == meets })
        }
    }

    /// Blocks of four rows make bands, single nonzeros do not; which others do depends on the processor.
    @Test(.enabled(if: espalier_isa_active() != ESPALIER_ISA_PORTABLE))
    func blocksMakeBands() {
        func banded(_ pattern: SparsePattern, density: Double, rows: Int = 40) -> (count: Int, nonzeros: Int)
        {
            var random = RandomSource(seed: 5)
            let weights = pattern.weights(rows: rows, columns: 200, density: density, &random)
            let packed = PackedMatrix(Case(rows: rows, depth: 200, columns: 64).shape, weights)
            return (espalier_sparse_banded(packed.pointer), espalier_sparse_nonzeros(packed.pointer))
        }
        for pattern in [.blocks(4, 1), .blocks(16, 1), .blocks(4, 4)] as [SparsePattern] {
            let found = banded(pattern, density: 0.1)
            #expect(found.count > 0 && found.count == found.nonzeros)
        }
        #expect(banded(.anywhere, density: 0.1).count == 0)
        #expect(banded(.blocks(1, 4), density: 0.1).count == 0)
        #expect(banded(.anywhere, density: 1).count == 40 * 200)
        // Three rows are left over.
        #expect(banded(.anywhere, density: 1, rows: 43).count == 40 * 200)
    }

    @Test func packingCountsAndDivides() {
        var weights = [Float](repeating: 0, count: 100 * 30)
        weights[7] = 1
        weights[29] = -0.0
        weights[2999] = .nan
        let packed = PackedMatrix(Case(rows: 100, depth: 30, columns: 64, parts: 3).shape, weights)
        #expect(espalier_sparse_nonzeros(packed.pointer) == 2)
        #expect(packed.rowBlocks == 3)
        // Not into blocks of fewer than 16 rows.
        let few = PackedMatrix(
            Case(rows: 20, depth: 1, columns: 1, parts: 9).shape, [Float](repeating: 1, count: 20))
        #expect(few.rowBlocks == 2)
    }

    /// Errors of the approximation of the error function, on its own.
    @Test(arguments: InstructionSet.supported)
    func geluIsAccurate(set: InstructionSet) {
        let input = (-3000...3000).map { Float($0) / 250 }
        let packed = PackedMatrix(Case(rows: 1, depth: 1, columns: input.count).shape, [1])
        var output = [Float](repeating: 0, count: input.count)
        output.withUnsafeMutableBufferPointer { output in
            input.withUnsafeBufferPointer { input in
                var operands = espalier_sparse_operands(
                    columns: input.count, input: input.baseAddress, input_pitch: input.count,
                    input_transposed: false, output: output.baseAddress, output_pitch: input.count,
                    output_transposed: false)
                var epilogue = Activation.gelu.epilogue(bias: nil, residual: nil)
                let tiles = espalier_sparse_tiles(packed.pointer, input.count)
                withScratch(espalier_sparse_product_scratch(packed.pointer)) { scratch in
                    for range in packed.ranges(tiles: tiles, cut: tiles, 1) {
                        espalier_sparse_product(
                            set.raw, packed.pointer, &operands, &epilogue, range, scratch)
                    }
                }
            }
        }
        for (x, y) in zip(input, output) {
            #expect(abs(Double(y) - Activation.gelu(Double(x))) < 1e-6 * max(1, abs(Double(x))))
        }
    }
}
