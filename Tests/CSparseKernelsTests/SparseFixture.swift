import CSparseKernels
import EspalierTensors
import Testing

/// The formats of sparse matrices whose products with rows the kernels compute, called alike.
enum SparseFormat: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case vector, batch

    var testDescription: String { rawValue }

    /// Y of the panels `panels` of all, other elements as `initial`; with the size that packing takes, in steps.
    func product(
        _ set: InstructionSet, _ matrix: SparseMatrix, _ inputs: [Float], rows: Int,
        epilogue: espalier_epilogue = .init(), panels: (Int) -> Range<Int> = { 0..<$0 }, initial: Float = .nan
    ) -> (outputs: [Float], steps: Int) {
        // One element more, to see that nothing is written past the end.
        var outputs = [Float](repeating: initial, count: rows * matrix.outputs + 1)
        var epilogue = epilogue
        let steps: Int
        switch self {
        case .vector:
            var raw = espalier_sparse_vector_measure(
                set.raw, matrix.weights, matrix.outputs, matrix.inputs, matrix.storage.raw)
            let packed = AlignedStorage(byteCount: espalier_sparse_vector_bytes(&raw))
            let prepared = AlignedStorage(byteCount: espalier_sparse_vector_prepared_bytes(&raw, rows))
            espalier_sparse_vector_pack(&raw, matrix.weights, packed.base)
            espalier_sparse_vector_prepare(set.raw, &raw, inputs, rows, prepared.base)
            let range = panels(espalier_sparse_vector_panels(&raw))
            espalier_sparse_vector_multiply(
                set.raw, &raw, packed.base, prepared.base, rows, range.lowerBound, range.upperBound,
                &epilogue,
                &outputs)
            steps = 2 * raw.step_pairs
        case .batch:
            var raw = espalier_sparse_batch_measure(
                matrix.weights, matrix.outputs, matrix.inputs, matrix.storage.raw)
            let packed = AlignedStorage(byteCount: espalier_sparse_batch_bytes(&raw))
            let prepared = AlignedStorage(byteCount: espalier_sparse_batch_prepared_bytes(&raw, rows))
            espalier_sparse_batch_pack(&raw, matrix.weights, packed.base)
            espalier_sparse_batch_prepare(set.raw, &raw, inputs, rows, prepared.base)
            let range = panels(espalier_sparse_batch_panels(&raw))
            espalier_sparse_batch_multiply(
                set.raw, &raw, packed.base, prepared.base, rows, range.lowerBound, range.upperBound,
                &epilogue,
                &outputs)
            steps = raw.steps
        }
        #expect(outputs.last?.bitPattern == initial.bitPattern, "written past the end")
        outputs.removeLast()
        return (outputs, steps)
    }
}

/// How weights are stored, and what rounding to it makes of them.
enum WeightStorage: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case float32, bfloat16, int8

    var testDescription: String { rawValue }

    var raw: espalier_weight_storage {
        switch self {
        case .float32: ESPALIER_WEIGHTS_FLOAT32
        case .bfloat16: ESPALIER_WEIGHTS_BFLOAT16
        case .int8: ESPALIER_WEIGHTS_INT8
        }
    }

    /// The weights of one output as kernels see them.
    func rounded(_ weights: [Float]) -> [Double] {
        switch self {
        case .float32: return weights.map(Double.init)
        case .bfloat16:
            return weights.map { Double(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16($0))) }
        case .int8:
            let scale = (weights.map(\.magnitude).max() ?? 0) / 127
            return weights.map {
                scale > 0 ? Double(($0 / scale).rounded(.toNearestOrEven)) * Double(scale) : 0
            }
        }
    }
}

/// Row-major weights [outputs, inputs].
struct SparseMatrix {
    /// Where the zeros are.
    enum Pattern: CaseIterable, Sendable {
        case none, half, ninety, nearlyAll, all, onlyLast, rowsEmptyDenseAndSparse
    }

    let outputs: Int
    let inputs: Int
    let storage: WeightStorage
    private(set) var weights: [Float]

    init(outputs: Int, inputs: Int, storage: WeightStorage, weights: [Float]) {
        (self.outputs, self.inputs, self.storage, self.weights) = (outputs, inputs, storage, weights)
    }

    init(
        outputs: Int, inputs: Int, _ pattern: Pattern, _ storage: WeightStorage,
        _ random: inout RandomSource
    ) {
        (self.outputs, self.inputs, self.storage) = (outputs, inputs, storage)
        weights = []
        for output in 0..<outputs {
            for input in 0..<inputs {
                let density: Double =
                    switch pattern {
                    case .none: 1
                    case .half: 0.5
                    case .ninety: 0.1
                    case .nearlyAll: 0.01
                    case .all: 0
                    case .onlyLast: output == outputs - 1 && input == inputs - 1 ? 1 : 0
                    case .rowsEmptyDenseAndSparse: [0, 1, 0.05][output % 3]
                    }
                weights.append(random.uniform() < density ? random.uniform(in: 0.01...1) : 0)
                if random.next() % 2 == 0 { weights[weights.count - 1].negate() }
            }
        }
    }

    func row(_ output: Int) -> ArraySlice<Float> { weights[output * inputs..<(output + 1) * inputs] }

    /// X W^T in double precision, with the sums of magnitudes, which bound rounding errors.
    func reference(_ x: [Float], rows: Int) -> [(sum: Double, magnitude: Double)] {
        let rounded = (0..<outputs).map { storage.rounded(Array(row($0))) }
        return (0..<rows).flatMap { row in
            rounded.map { weights in
                var (sum, magnitude) = (0.0, 0.0)
                for input in 0..<inputs where weights[input] != 0 {
                    let product = weights[input] * Double(x[row * inputs + input])
                    sum += product
                    magnitude += product.magnitude
                }
                return (sum, magnitude)
            }
        }
    }
}
