/// How the weights of a product or convolution are kept, and so by which kernels it is computed.
package enum KernelFormat: String, Sendable, Codable, Hashable, CaseIterable, CodingKeyRepresentable {
    /// All weights, zeros included.
    case dense
    /// Compressed sparse rows, computed as textbooks have it: what sparsity costs without any care.
    case csr
    /// Packed for our own kernels, which networks run by: ``SparseRows`` for few samples and ``SparseMatrix`` for more.
    case element

    /// Whether zeros take neither memory nor multiply-accumulates.
    package var skipsZeros: Bool { self != .dense }

    /// What one stored weight takes, with what tells where it belongs.
    var bytesPerWeight: Int {
        switch self {
        case .dense: 4
        case .csr: 8
        // A number, and about half of that for its place and for padding.
        case .element: 6
        }
    }
}

/// A product of a weight matrix with samples, as a cost model sees it. A convolution is the product of its filters with
/// the input's patches: every position of every sample counts as a sample.
package struct KernelWork: Sendable, Hashable {
    /// Outputs: filters, units.
    package var rows: Int
    /// Weights of one output.
    package var columns: Int
    package var samples: Int
    /// Weights that are not zero.
    package var nonzeros: Int
    /// Read and written besides the weights.
    package var activationByteCount: Int

    package init(rows: Int, columns: Int, samples: Int, nonzeros: Int, activationByteCount: Int) {
        self.rows = rows
        self.columns = columns
        self.samples = samples
        self.nonzeros = nonzeros
        self.activationByteCount = activationByteCount
    }

    /// Of a plain product, whose inputs and outputs are read and written once.
    package init(rows: Int, columns: Int, samples: Int, nonzeros: Int) {
        self.init(
            rows: rows, columns: columns, samples: samples, nonzeros: nonzeros,
            activationByteCount: 4 * samples * (rows + columns))
    }

    /// Weights that a format keeps.
    package func storedWeights(_ format: KernelFormat) -> Int {
        format.skipsZeros ? nonzeros : rows * columns
    }

    package func weightByteCount(_ format: KernelFormat) -> Int {
        storedWeights(format) * format.bytesPerWeight
    }

    package func multiplyAccumulates(_ format: KernelFormat) -> Int { storedWeights(format) * samples }

    /// What dense would do by what is left.
    package var theoreticalSpeedup: Double {
        nonzeros > 0 ? Double(rows * columns) / Double(nonzeros) : rows * columns > 0 ? .infinity : 1
    }
}
