import CSparseKernels
package import EspalierTensors

/// A matrix in compressed sparse rows, multiplied by a plain loop: what sparsity costs where no care is taken. For comparison
/// alone; networks never run by it.
package struct CompressedRows {
    package let columns: Int
    private var starts: [UInt32] = [0]
    private var places: [UInt32] = []
    private var values: [Float] = []

    /// - Parameter weights: [rows, ...], of which all but the first axis count as columns.
    package init(_ weights: Tensor) {
        let rows = weights.shape[0]
        columns = weights.count / max(rows, 1)
        let scalars = weights.scalars(as: Float.self)
        for row in 0..<rows {
            for column in 0..<columns where scalars[row * columns + column] != 0 {
                places.append(UInt32(column))
                values.append(scalars[row * columns + column])
            }
            starts.append(UInt32(places.count))
        }
    }

    /// output [rows, samples] = this times input [columns, samples], row-major, on the calling thread.
    package func multiply(_ input: [Float], into output: inout [Float], samples: Int) {
        starts.withUnsafeBufferPointer { starts in
            places.withUnsafeBufferPointer { places in
                values.withUnsafeBufferPointer { values in
                    var matrix = espalier_csr_matrix(
                        rows: starts.count - 1, starts: starts.baseAddress, columns: places.baseAddress,
                        values: values.baseAddress)
                    espalier_csr_multiply(espalier_isa_active(), &matrix, input, &output, samples)
                }
            }
        }
    }
}
