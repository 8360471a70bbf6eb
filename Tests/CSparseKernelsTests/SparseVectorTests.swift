import CSparseKernels
import EspalierTensors
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Products of sparse matrices with one or a few rows, in every format and instance, against double precision.
struct SparseVectorTests {
    /// Around the extents of registers, groups, panels, windows and blocks.
    static let outputs = [0, 1, 7, 31, 33, 64, 65, 130]
    static let inputs = [0, 1, 3, 16, 17, 63, 65, 130, 1030]

    private func numbers(_ count: Int, _ random: inout RandomSource) -> [Float] {
        (0..<count).map { _ in random.uniform(in: -1...1) }
    }

    private func check(
        _ set: InstructionSet, _ format: SparseFormat, _ matrix: SparseMatrix, rows: Int,
        _ random: inout RandomSource, _ comment: @autoclosure () -> Comment
    ) {
        let inputs = numbers(rows * matrix.inputs, &random)
        let found = format.product(set, matrix, inputs, rows: rows).outputs
        let expected = matrix.reference(inputs, rows: rows)
        let wrong = zip(found, expected).filter {
            !(abs(Double($0) - $1.sum) <= 1e-6 * $1.magnitude + 1e-30)
        }
        #expect(wrong.isEmpty, comment())
    }

    @Test(arguments: InstructionSet.supported, SparseFormat.allCases)
    func productsOfEveryShapeAndPatternAreExactSums(set: InstructionSet, format: SparseFormat) {
        var random = RandomSource(seed: 1)
        for outputs in Self.outputs {
            for inputs in Self.inputs {
                for pattern in SparseMatrix.Pattern.allCases
                where outputs * inputs < 20_000 || pattern == .ninety {
                    for storage in WeightStorage.allCases {
                        let matrix = SparseMatrix(outputs: outputs, inputs: inputs, pattern, storage, &random)
                        let rows = 1 + Int(random.next() % UInt64(format == .vector ? 3 : 16))
                        check(
                            set, format, matrix, rows: rows, &random,
                            "\(outputs)x\(inputs) \(pattern) \(storage) \(rows) rows")
                    }
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported, SparseFormat.allCases)
    func productsOfEveryNumberOfRowsAreExactSums(set: InstructionSet, format: SparseFormat) {
        var random = RandomSource(seed: 2)
        let matrix = SparseMatrix(outputs: 70, inputs: 90, .ninety, .float32, &random)
        for rows in 0...ESPALIER_SPARSE_BATCH_ROWS {
            check(set, format, matrix, rows: Int(rows), &random, "\(rows) rows")
        }
    }

    @Test(arguments: (1...8).map { UInt64($0) })
    func productsOfRandomShapesAreExactSums(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func draw(_ most: Int) -> Int { 1 + Int(random.next() % UInt64(most)) }
        for set in InstructionSet.supported {
            for format in SparseFormat.allCases {
                let pattern = SparseMatrix.Pattern.allCases[draw(SparseMatrix.Pattern.allCases.count) - 1]
                let storage = WeightStorage.allCases[draw(3) - 1]
                let (outputs, inputs, rows) = (draw(300), draw(1500), draw(16))
                let matrix = SparseMatrix(outputs: outputs, inputs: inputs, pattern, storage, &random)
                check(
                    set, format, matrix, rows: rows, &random,
                    "seed \(seed): \(outputs)x\(inputs) \(pattern) \(storage) \(rows) rows")
            }
        }
    }

    @Test(arguments: InstructionSet.supported, SparseFormat.allCases)
    func aPrunedWeightAddsNothingWhateverItsInput(set: InstructionSet, format: SparseFormat) {
        var random = RandomSource(seed: 3)
        for storage in WeightStorage.allCases {
            for pattern in [.half, .ninety, .nearlyAll, .rowsEmptyDenseAndSparse] as [SparseMatrix.Pattern] {
                let matrix = SparseMatrix(outputs: 75, inputs: 140, pattern, storage, &random)
                var inputs = numbers(2 * matrix.inputs, &random)
                let clean = format.product(set, matrix, inputs, rows: 2).outputs
                let poisoned = Int(random.next() % UInt64(matrix.inputs))
                inputs[poisoned] = .nan
                inputs[matrix.inputs + poisoned] = .infinity
                let found = format.product(set, matrix, inputs, rows: 2).outputs
                for output in 0..<matrix.outputs {
                    let (first, second) = (output, matrix.outputs + output)
                    if matrix.row(output)[output * matrix.inputs + poisoned] == 0 {
                        #expect(found[first] == clean[first] && found[second] == clean[second])
                    } else {
                        #expect(found[first].isNaN && !found[second].isFinite)
                    }
                }
            }
        }
    }

    @Test(arguments: InstructionSet.supported, SparseFormat.allCases)
    func panelsWriteTheirOutputsOnly(set: InstructionSet, format: SparseFormat) {
        var random = RandomSource(seed: 4)
        let matrix = SparseMatrix(outputs: 200, inputs: 60, .half, .float32, &random)
        let inputs = numbers(3 * matrix.inputs, &random)
        let whole = format.product(set, matrix, inputs, rows: 3).outputs
        let part = format.product(set, matrix, inputs, rows: 3, panels: { _ in 1..<3 }, initial: 7).outputs
        for (index, value) in part.enumerated() {
            #expect(value == ((64..<192).contains(index % matrix.outputs) ? whole[index] : 7))
        }
    }

    @Test(arguments: InstructionSet.supported)
    func fullRegistersTakeNoMoreStepsThanWeights(set: InstructionSet) {
        var random = RandomSource(seed: 5)
        func steps(_ format: SparseFormat, _ pattern: SparseMatrix.Pattern) -> Int {
            let matrix = SparseMatrix(outputs: 64, inputs: 100, pattern, .float32, &random)
            return format.product(set, matrix, [Float](repeating: 1, count: 100), rows: 1).steps
        }
        #expect(steps(.vector, .none) == 64 * 100 / 32)
        #expect(steps(.batch, .none) == 64 * 100 / 8)
        for format in SparseFormat.allCases { #expect(steps(format, .all) == 0) }
    }

    // MARK: Epilogues

    static let activations: [espalier_activation_function] = [
        ESPALIER_ACTIVATION_NONE, ESPALIER_ACTIVATION_RELU, ESPALIER_ACTIVATION_CLIP,
        ESPALIER_ACTIVATION_HARD_SWISH, ESPALIER_ACTIVATION_GELU,
    ]

    private func activation(_ function: espalier_activation_function, _ x: Double) -> Double {
        switch function {
        case ESPALIER_ACTIVATION_RELU: max(x, 0)
        case ESPALIER_ACTIVATION_CLIP: min(max(x, -0.25), 1.5)
        case ESPALIER_ACTIVATION_HARD_SWISH: x * min(max(x / 6 + 0.5, 0), 1)
        case ESPALIER_ACTIVATION_GELU: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        default: x
        }
    }

    @Test(arguments: InstructionSet.supported, SparseFormat.allCases)
    func biasResidualAndActivationFollowTheSum(set: InstructionSet, format: SparseFormat) {
        var random = RandomSource(seed: 6)
        let rows = 3
        for storage in WeightStorage.allCases {
            let matrix = SparseMatrix(outputs: 77, inputs: 40, .half, storage, &random)
            let inputs = numbers(rows * matrix.inputs, &random)
            let bias = numbers(matrix.outputs, &random)
            let residual = numbers(rows * matrix.outputs, &random)
            let sums = matrix.reference(inputs, rows: rows)
            for function in Self.activations {
                let found = bias.withUnsafeBufferPointer { bias in
                    residual.withUnsafeBufferPointer { residual in
                        format.product(
                            set, matrix, inputs, rows: rows,
                            epilogue: espalier_epilogue(
                                bias: bias.baseAddress, residual: residual.baseAddress,
                                activation: .init(function: function, lower: -0.25, upper: 1.5))
                        ).outputs
                    }
                }
                for (index, value) in found.enumerated() {
                    let added = Double(bias[index % matrix.outputs]) + Double(residual[index])
                    let expected = activation(function, sums[index].sum + added)
                    #expect(abs(Double(value) - expected) <= 1e-6 * (sums[index].magnitude + 2))
                }
            }
        }
    }

    /// Over the whole range, where one weight after another is the result before the activation.
    @Test(arguments: InstructionSet.supported)
    func activationsAreAccurateAndKeepNotANumber(set: InstructionSet) {
        var random = RandomSource(seed: 7)
        let matrix = SparseMatrix(outputs: 1, inputs: 1, .none, .float32, &random)
        let values = (-1200...1200).map { Float($0) / 100 }
        for function in Self.activations {
            let epilogue = espalier_activation(function: function, lower: -0.25, upper: 1.5)
            for first in stride(from: 0, to: values.count, by: 16) {
                let chunk = Array(values[first..<min(first + 16, values.count)])
                let inputs = chunk.map { $0 / matrix.weights[0] }
                let found = SparseFormat.batch.product(
                    set, matrix, inputs, rows: chunk.count,
                    epilogue: .init(bias: nil, residual: nil, activation: epilogue)
                ).outputs
                for (input, found) in zip(inputs, found) {
                    let x = Double(input * matrix.weights[0])
                    #expect(abs(Double(found) - activation(function, x)) <= 3e-7 * max(1, abs(x)))
                }
            }
            let kept = SparseFormat.batch.product(
                set, matrix, [.nan], rows: 1,
                epilogue: .init(bias: nil, residual: nil, activation: epilogue)
            ).outputs
            #expect(kept[0].isNaN)
        }
    }
}
