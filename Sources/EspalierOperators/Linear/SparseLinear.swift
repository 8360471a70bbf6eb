import EspalierKernels
import EspalierTensors

/// The product of rows with a constant matrix of many zeros, which are left out.
struct SparseLinear {
    private enum Packed {
        case rows(SparseRows)
        case tiles(SparseMatrix)
    }

    private let packed: Packed
    private let rows: Int
    private let outputs: Int
    private let threads: Int

    /// The work that it would do; nil where there is no sparse kernel, as the weights are not known in advance, and where
    /// no weight is zero.
    ///
    /// - Parameters:
    ///   - weights: of two axes, [inputs, outputs], or [outputs, inputs] if `isTransposed`.
    ///   - rows: how many rows are multiplied with it.
    static func work(_ weights: Tensor?, isTransposed: Bool, rows: Int) -> KernelWork? {
        guard let weights, var work = unbandedWork(weights, isTransposed: isTransposed, rows: rows) else {
            return nil
        }
        if work.sparseFormat != .rows {
            work.isBanded = SparseMatrix.isBanded(
                isTransposed ? weights : weights.transposed(), rows: work.rows, channels: work.columns,
                columns: rows)
        }
        return work
    }

    /// The same, with bands left out of account: only who chooses between formats needs to know of them, and to find them takes
    /// the weights by output.
    private static func unbandedWork(_ weights: Tensor, isTransposed: Bool, rows: Int) -> KernelWork? {
        guard weights.dtype == .float32, weights.shape.rank == 2, rows > 0 else { return nil }
        let nonzeros = weights.nonzeroCount
        guard nonzeros < weights.count else { return nil }
        let (outputs, inputs) = (weights.shape[isTransposed ? 0 : 1], weights.shape[isTransposed ? 1 : 0])
        return KernelWork(rows: outputs, columns: inputs, samples: rows, nonzeros: nonzeros)
    }

    /// nil where zeros are not to be left out, or there is no sparse kernel; see ``work(_:isTransposed:rows:)``.
    init?(_ weights: Tensor?, isTransposed: Bool, rows: Int, _ context: LoweringContext) {
        guard context.usesSparsity, context.phase == .inference, let weights,
            let work = Self.unbandedWork(weights, isTransposed: isTransposed, rows: rows)
        else { return nil }
        self.rows = rows
        outputs = work.rows
        let threads = context.threads
        self.threads = threads
        let byOutput = isTransposed ? weights : weights.transposed()
        packed =
            if let storage = work.sparseFormat(in: context.precision).rowStorage {
                .rows(SparseRows(byOutput, rows: rows, storage: storage))
            } else {
                .tiles(
                    SparseMatrix(
                        byOutput, rows: outputs, channels: work.columns, columns: rows, threads: threads))
            }
    }

    /// - Parameters:
    ///   - bias: one number for each output.
    ///   - addendPort: the input that is the first addend among `epilogues`.
    func kernel(
        inputCount: Int, bias: StagedKernel.Place?, epilogues: [EpilogueStep], addendPort: Int
    ) throws(OperatorError) -> any Kernel {
        let (packed, rows, threads) = (packed, rows, threads)
        let size =
            switch packed {
            case .rows(let matrix): matrix.scratch
            case .tiles(let matrix): threads * matrix.productScratch
            }
        return try SparseFusion(epilogues, addendPort: addendPort).kernel(
            inputCount: inputCount, output: [rows, outputs], scratch: size, bias: bias
        ) { operands in
            switch packed {
            case .rows(let matrix):
                matrix.multiply(
                    operands.input, into: operands.output, then: operands.epilogue, scratch: operands.scratch)
            case .tiles(let matrix):
                matrix.multiply(
                    operands.input, columns: rows, into: operands.output, then: operands.epilogue,
                    scratch: operands.scratch, threads: threads)
            }
        }
    }
}

extension Tensor {
    /// A matrix of `float32` with its axes exchanged.
    fileprivate func transposed() -> Tensor {
        let (rows, columns) = (shape[0], shape[1])
        return withUnsafeScalars(of: Float.self) { source in
            var scalars = [Float](repeating: 0, count: source.count)
            // In squares, so that neither side leaves the cache between neighbours.
            for top in stride(from: 0, to: rows, by: 32) {
                for left in stride(from: 0, to: columns, by: 32) {
                    for row in top..<min(top + 32, rows) {
                        for column in left..<min(left + 32, columns) {
                            scalars[column * rows + row] = source[row * columns + column]
                        }
                    }
                }
            }
            return Tensor(shape: [columns, rows], scalars: scalars)
        }
    }
}
