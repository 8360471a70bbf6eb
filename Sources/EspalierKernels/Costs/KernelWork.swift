import CSparseKernels
package import EspalierTensors

/// A product of a weight matrix with samples, as a cost model sees it. A convolution is the product of its filters with
/// the input's patches: every position of every sample counts as a sample.
package struct KernelWork: Sendable, Hashable {
    /// Outputs: filters, units; of all groups.
    package var rows: Int
    /// Weights of one output.
    package var columns: Int
    /// Of a grouped convolution: each group of rows meets inputs of its own.
    package var groups: Int
    package var samples: Int
    /// Weights that are not zero.
    package var nonzeros: Int
    /// Read and written besides the weights.
    package var activationByteCount: Int
    /// Positions of the kernel; nil for a plain product.
    package var taps: Int?
    /// See ``SparseMatrix/isBanded(_:rows:groups:channels:taps:columns:)``.
    package var isBanded: Bool

    package init(
        rows: Int, columns: Int, groups: Int = 1, samples: Int, nonzeros: Int, activationByteCount: Int,
        taps: Int?, isBanded: Bool = false
    ) {
        self.rows = rows
        self.columns = columns
        self.groups = groups
        self.samples = samples
        self.nonzeros = nonzeros
        self.activationByteCount = activationByteCount
        self.taps = taps
        self.isBanded = isBanded
    }

    /// Of a plain product, whose inputs and outputs are read and written once.
    package init(rows: Int, columns: Int, samples: Int, nonzeros: Int, isBanded: Bool = false) {
        self.init(
            rows: rows, columns: columns, samples: samples, nonzeros: nonzeros,
            activationByteCount: 4 * samples * (rows + columns), taps: nil, isBanded: isBanded)
    }

    /// The format of our own kernels that suits it.
    package var sparseFormat: KernelFormat {
        if taps == nil, SparseRows.takes(rows: samples, inputs: columns) { return .rows }
        return isBanded ? .bands : .tiles
    }

    /// As ``sparseFormat``, with the weights as `precision` has them.
    package func sparseFormat(in precision: Precision) -> KernelFormat {
        let format = sparseFormat
        guard format == .rows else { return format }
        return switch precision {
        case .float32: .rows
        case .bfloat16: .rowsBFloat16
        case .int8Weights: .rowsInt8
        }
    }

    /// The format of dense kernels that suits it.
    package func denseFormat(in precision: Precision) -> KernelFormat {
        .dense(
            in: precision, multiplyAccumulates: rows * columns * samples,
            activations: activationByteCount / 4)
    }

    /// Weights that a format keeps.
    package func storedWeights(_ format: KernelFormat) -> Int {
        format.skipsZeros ? nonzeros : rows * columns
    }

    package func weightByteCount(_ format: KernelFormat) -> Int {
        storedWeights(format) * format.bytesPerWeight
    }

    /// Those that a kernel does, lanes without a sample included; in dense convolutions those without a filter, since there
    /// filters lie in the lanes.
    package func multiplyAccumulates(_ format: KernelFormat) -> Int {
        if !format.skipsZeros, taps != nil { return paddedRows * columns * samples }
        return storedWeights(format) * paddedSamples(format)
    }

    /// What decides how many threads it is worth.
    package func teamWork(_ format: KernelFormat) -> ThreadTeam.Work {
        .product(format, multiplyAccumulates: storedWeights(format) * samples)
    }

    /// Filters of every group filled up to whole registers.
    private var paddedRows: Int {
        let (group, lanes) = (rows / max(groups, 1), Self.denseLanes)
        return (group + lanes - 1) / lanes * lanes * groups
    }

    /// Numbers in a register of dense kernels: what the number of channels should be a multiple of.
    package static let denseLanes =
        switch espalier_isa_active() {
        case ESPALIER_ISA_AVX512: 16
        case ESPALIER_ISA_AVX2: 8
        default: 4
        }

    /// What dense would do by what is left.
    package var theoreticalSpeedup: Double {
        nonzeros > 0 ? Double(rows * columns) / Double(nonzeros) : rows * columns > 0 ? .infinity : 1
    }
}

/// What takes time besides multiplying and moving, and how often it is done.
extension KernelWork {
    /// Finding the place of a weight: once for each tile of samples.
    func visits(_ format: KernelFormat) -> Double {
        let tiles = format == .tiles || format == .bands ? (lines / Self.tileLines).rounded(.up) : 1
        return Double(storedWeights(format)) * tiles
    }

    /// Beginning and ending a sum: in tiles for each line of each block of inputs.
    func sums(_ format: KernelFormat) -> Double {
        switch format {
        case .csr: Double(rows)
        case .tiles, .bands: Double(rows) * lines * (Double(columns) / Self.blockInputs).rounded(.up)
        case .dense, .denseBFloat16, .rows, .rowsBFloat16, .rowsInt8:
            Double(rows * paddedSamples(format))
        }
    }

    /// Bringing an input to where it is used.
    func copies(_ format: KernelFormat) -> Double {
        switch format {
        case .csr: 0
        case .tiles, .bands: Double(columns * groups) * lines
        case .dense, .denseBFloat16, .rows, .rowsBFloat16, .rowsInt8:
            Double(columns * groups * paddedSamples(format))
        }
    }

    /// Copies that do not lie as their source does: those of convolutions with several taps.
    func shiftedCopies(_ format: KernelFormat) -> Double { taps ?? 1 > 1 ? copies(format) : 0 }

    /// Samples with those that only fill a register.
    private func paddedSamples(_ format: KernelFormat) -> Int {
        switch format {
        case .dense, .denseBFloat16, .csr: samples
        case .tiles, .bands: Int(lines) * Self.line
        case .rows, .rowsBFloat16, .rowsInt8: samples < 5 ? samples : samples <= 8 ? 8 : Self.line
        }
    }

    private var lines: Double { (Double(samples) / Double(Self.line)).rounded(.up) }

    private static let line = 16
    /// A tile is this wide, more or less.
    private static let tileLines = 6.0
    /// Of a block's inputs, more or less.
    private static let blockInputs = 96.0
}
