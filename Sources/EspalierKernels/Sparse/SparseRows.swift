import CSparseKernels
package import EspalierTensors

/// A matrix with zeros anywhere, packed for products with one row of activations, or a few: the formats of
/// `espalier_sparse_vector.h` and `espalier_sparse_batch.h`, and where the pattern allows it `espalier_sparse_strips.h`.
package final class SparseRows {
    /// The most rows that it takes: with more, tiles of rows (``SparseMatrix``) are faster.
    package static let limit = Int(ESPALIER_SPARSE_BATCH_ROWS)
    /// From so many rows on, rows lie in the lanes of registers, not outputs; measured at 70 to 99 % zeros.
    private static var batchStart: Int { espalier_isa_active() == ESPALIER_ISA_AVX512 ? 5 : 2 }

    /// The most inputs that it takes.
    private static let inputLimit = 1 << 19

    /// Whether there are kernels for so many rows of activations and inputs.
    package static func takes(rows: Int, inputs: Int) -> Bool {
        (1...limit).contains(rows) && inputs <= inputLimit
    }

    /// How weights are stored; computing is in single precision.
    package enum Storage: Hashable, Sendable, CaseIterable {
        case float32, bfloat16
        /// With one scale for each output.
        case int8

        fileprivate var value: espalier_weight_storage {
            switch self {
            case .float32: ESPALIER_WEIGHTS_FLOAT32
            case .bfloat16: ESPALIER_WEIGHTS_BFLOAT16
            case .int8: ESPALIER_WEIGHTS_INT8
            }
        }
    }

    private enum Format {
        case vector(espalier_sparse_vector)
        case batch(espalier_sparse_batch)
        case strips(espalier_sparse_strips)
    }

    private let format: Format
    private let packed: AlignedStorage
    private let instructions = espalier_isa_active()
    private let rows: Int
    private let nonzeros: Int

    /// - Parameters:
    ///   - weights: `float32`, [outputs, inputs].
    ///   - rows: of activations, 1 to ``limit``.
    ///   - storage: taken as `float32` where weights are not finite, of which integers have none.
    package init(_ weights: Tensor, rows: Int, storage: Storage = .float32) {
        precondition((1...Self.limit).contains(rows))
        self.rows = rows
        nonzeros = weights.nonzeroCount
        let (outputs, inputs) = (weights.shape[0], weights.shape[1])
        let instructions = instructions
        let isStorable = storage != .int8 || weights.isFinite
        let storage = isStorable ? storage.value : ESPALIER_WEIGHTS_FLOAT32
        (format, packed) = weights.withUnsafeScalars(of: Float.self) { scalars in
            let weights = scalars.baseAddress
            if espalier_sparse_strips_fit(weights, outputs, inputs) {
                var matrix = espalier_sparse_strips_measure(weights, outputs, inputs, storage)
                let packed = AlignedStorage(byteCount: espalier_sparse_strips_bytes(&matrix))
                espalier_sparse_strips_pack(&matrix, weights, packed.base)
                return (.strips(matrix), packed)
            }
            if rows < Self.batchStart {
                var matrix = espalier_sparse_vector_measure(
                    instructions, weights, outputs, inputs, storage)
                let packed = AlignedStorage(byteCount: espalier_sparse_vector_bytes(&matrix))
                espalier_sparse_vector_pack(&matrix, weights, packed.base)
                return (.vector(matrix), packed)
            }
            var matrix = espalier_sparse_batch_measure(weights, outputs, inputs, storage)
            let packed = AlignedStorage(byteCount: espalier_sparse_batch_bytes(&matrix))
            espalier_sparse_batch_pack(&matrix, weights, packed.base)
            return (.batch(matrix), packed)
        }
    }

    /// Bytes of scratch memory, 64-byte aligned, for a product.
    package var scratch: Int {
        switch format {
        case .vector(var matrix): espalier_sparse_vector_prepared_bytes(&matrix, rows)
        case .batch(var matrix): espalier_sparse_batch_prepared_bytes(&matrix, rows)
        case .strips(var matrix): espalier_sparse_strips_prepared_bytes(&matrix, rows)
        }
    }

    /// Shares out panels, if the work is worth calling other threads.
    private func divide(_ panels: Int, _ body: (Range<Int>) -> Void) {
        ThreadTeam.parallel(panels, of: .product(.rows, multiplyAccumulates: nonzeros * rows), body)
    }

    /// output = activation(input x transposed weights + ...), row-major, [rows, inputs] to [rows, outputs].
    package func multiply(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
        then epilogue: SparseEpilogue,
        scratch: UnsafeMutableRawPointer
    ) {
        var operation = epilogue.operation
        withUnsafePointer(to: &operation) { operation in
            switch format {
            case .vector(var matrix):
                withUnsafePointer(to: &matrix) { matrix in
                    espalier_sparse_vector_prepare(instructions, matrix, input, rows, scratch)
                    divide(espalier_sparse_vector_panels(matrix)) { panels in
                        espalier_sparse_vector_multiply(
                            instructions, matrix, packed.base, scratch, rows, panels.lowerBound,
                            panels.upperBound,
                            operation, output)
                    }
                }
            case .batch(var matrix):
                withUnsafePointer(to: &matrix) { matrix in
                    espalier_sparse_batch_prepare(instructions, matrix, input, rows, scratch)
                    divide(espalier_sparse_batch_panels(matrix)) { panels in
                        espalier_sparse_batch_multiply(
                            instructions, matrix, packed.base, scratch, rows, panels.lowerBound,
                            panels.upperBound,
                            operation, output)
                    }
                }
            case .strips(var matrix):
                withUnsafePointer(to: &matrix) { matrix in
                    espalier_sparse_strips_prepare(instructions, matrix, input, rows, scratch)
                    divide(espalier_sparse_strips_count(matrix)) { strips in
                        espalier_sparse_strips_multiply(
                            instructions, matrix, packed.base, scratch, rows, strips.lowerBound,
                            strips.upperBound, operation, output)
                    }
                }
            }
        }
    }
}

extension Tensor {
    /// Whether all elements of a `float32` tensor are finite numbers.
    fileprivate var isFinite: Bool {
        withUnsafeScalars(of: Float.self) { $0.allSatisfy(\.isFinite) }
    }
}
