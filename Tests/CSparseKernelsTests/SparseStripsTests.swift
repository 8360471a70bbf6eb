import CSparseKernels
import EspalierTensors
import Testing

/// Products of matrices that are sparse by strips of 16 outputs, in every instance, against double precision.
struct SparseStripsTests {
    /// Around the extents of strips, and of groups of rows and columns that are summed in turn.
    static let outputs = [0, 1, 15, 16, 17, 40]
    static let inputs = [0, 1, 2, 3, 5, 16, 33]

    private func matrix(
        outputs: Int, inputs: Int, density: Double, _ storage: WeightStorage, _ random: inout RandomSource
    ) -> SparseMatrix {
        let weights = SparsePattern.blocks(16, 1).weights(
            rows: outputs, columns: inputs, density: density, &random)
        return SparseMatrix(outputs: outputs, inputs: inputs, storage: storage, weights: weights)
    }

    /// Y in two ranges of strips, with bias and residual.
    private func product(
        _ set: InstructionSet, _ matrix: SparseMatrix, _ inputs: [Float], rows: Int, cut: Int = 0,
        epilogue: espalier_epilogue = .init()
    ) -> [Float] {
        #expect(espalier_sparse_strips_fit(matrix.weights, matrix.outputs, matrix.inputs))
        var raw = espalier_sparse_strips_measure(
            matrix.weights, matrix.outputs, matrix.inputs, matrix.storage.raw)
        let packed = AlignedStorage(byteCount: espalier_sparse_strips_bytes(&raw))
        let prepared = AlignedStorage(byteCount: espalier_sparse_strips_prepared_bytes(&raw, rows))
        espalier_sparse_strips_pack(&raw, matrix.weights, packed.base)
        espalier_sparse_strips_prepare(set.raw, &raw, inputs, rows, prepared.base)
        var (outputs, epilogue) = ([Float](repeating: 7, count: rows * matrix.outputs + 1), epilogue)
        let count = espalier_sparse_strips_count(&raw)
        for range in [min(cut, count)..<count, 0..<min(cut, count)] {
            espalier_sparse_strips_multiply(
                set.raw, &raw, packed.base, prepared.base, rows, range.lowerBound, range.upperBound,
                &epilogue, &outputs)
        }
        #expect(outputs.removeLast() == 7, "written past the end")
        return outputs
    }

    private func check(
        _ set: InstructionSet, _ matrix: SparseMatrix, rows: Int, _ random: inout RandomSource,
        _ comment: @autoclosure () -> Comment
    ) {
        let inputs = random.floats(rows * matrix.inputs)
        let found = product(set, matrix, inputs, rows: rows, cut: random.integer(0...3))
        let wrong = zip(found, matrix.reference(inputs, rows: rows)).filter {
            !(abs(Double($0) - $1.sum) <= 1e-6 * $1.magnitude + 1e-30)
        }
        #expect(wrong.isEmpty, comment())
    }

    @Test(arguments: InstructionSet.supported, WeightStorage.allCases)
    func productsOfEveryShapeAreExactSums(set: InstructionSet, storage: WeightStorage) {
        var random = RandomSource(seed: 1)
        for outputs in Self.outputs {
            for inputs in Self.inputs {
                for density in [0, 0.3, 1] {
                    let matrix = matrix(
                        outputs: outputs, inputs: inputs, density: density, storage, &random)
                    let rows = random.integer(0...19)
                    check(
                        set, matrix, rows: rows, &random, "\(outputs)x\(inputs) \(density) \(rows) rows")
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func productsOfEveryNumberOfRowsAreExactSums(set: InstructionSet) {
        var random = RandomSource(seed: 2)
        let matrix = matrix(outputs: 70, inputs: 90, density: 0.2, .float32, &random)
        for rows in 0...35 { check(set, matrix, rows: rows, &random, "\(rows) rows") }
    }

    @Test(arguments: (1...8).map { UInt64($0) })
    func productsOfRandomShapesAreExactSums(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for set in InstructionSet.supported {
            let storage = WeightStorage.allCases.randomElement(using: &random)!
            let (outputs, inputs, rows) = (
                random.integer(1...300), random.integer(1...1500), random.integer(1...20)
            )
            let matrix = matrix(
                outputs: outputs, inputs: inputs, density: random.uniform(), storage, &random)
            check(
                set, matrix, rows: rows, &random, "seed \(seed): \(outputs)x\(inputs) \(storage) \(rows) rows"
            )
        }
    }

    @Test(arguments: InstructionSet.supported, WeightStorage.allCases)
    func aPrunedWeightAddsNothingWhateverItsInput(set: InstructionSet, storage: WeightStorage) {
        var random = RandomSource(seed: 3)
        let matrix = matrix(outputs: 75, inputs: 140, density: 0.5, storage, &random)
        var inputs = random.floats(2 * matrix.inputs)
        let clean = product(set, matrix, inputs, rows: 2)
        inputs[4] = .nan
        inputs[matrix.inputs + 4] = .infinity
        let found = product(set, matrix, inputs, rows: 2)
        for output in 0..<matrix.outputs {
            for place in [output, matrix.outputs + output] {
                if matrix.weights[output * matrix.inputs + 4] == 0 {
                    #expect(found[place] == clean[place])
                } else {
                    #expect(!found[place].isFinite)
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported, Activation.allCases)
    func biasResidualAndActivationFollowTheSum(set: InstructionSet, activation: Activation) {
        var random = RandomSource(seed: 4)
        let rows = 7
        for storage in WeightStorage.allCases {
            let matrix = matrix(outputs: 37, inputs: 40, density: 0.4, storage, &random)
            let inputs = random.floats(rows * matrix.inputs)
            let bias = random.floats(matrix.outputs)
            let residual = random.floats(rows * matrix.outputs)
            let found = bias.withUnsafeBufferPointer { bias in
                residual.withUnsafeBufferPointer { residual in
                    product(
                        set, matrix, inputs, rows: rows,
                        epilogue: activation.epilogue(
                            bias: bias.baseAddress, residual: residual.baseAddress))
                }
            }
            for (index, reference) in matrix.reference(inputs, rows: rows).enumerated() {
                let sum = reference.sum + Double(bias[index % matrix.outputs]) + Double(residual[index])
                #expect(abs(Double(found[index]) - activation(sum)) <= 1e-6 * (reference.magnitude + 2))
            }
        }
    }

    @Test func onlyWholeStripsFit() {
        var random = RandomSource(seed: 5)
        func fits(_ pattern: SparsePattern, outputs: Int = 40) -> Bool {
            let weights = pattern.weights(rows: outputs, columns: 50, density: 0.5, &random)
            return espalier_sparse_strips_fit(weights, outputs, 50)
        }
        for pattern in [.blocks(16, 1), .blocks(32, 1), .blocks(16, 4)] as [SparsePattern] {
            #expect(fits(pattern))
        }
        for pattern in [.anywhere, .blocks(4, 1), .blocks(8, 1), .blocks(24, 1)] as [SparsePattern] {
            #expect(!fits(pattern))
        }
        // One strip of few outputs.
        #expect(fits(.blocks(4, 1), outputs: 4))
        var weights = [Float](repeating: 1, count: 20 * 3)
        #expect(espalier_sparse_strips_fit(weights, 20, 3))
        weights[19 * 3 + 2] = 0
        #expect(!espalier_sparse_strips_fit(weights, 20, 3))
        // Inputs are numbered in 16 bits.
        #expect(espalier_sparse_strips_fit([Float](repeating: 1, count: 65536), 1, 65536))
        #expect(!espalier_sparse_strips_fit([Float](repeating: 1, count: 65537), 1, 65537))
    }
}
