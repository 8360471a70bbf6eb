package import EspalierTensors

/// How the weights of a product or convolution are kept, and so by which kernels it is computed.
package enum KernelFormat: String, Sendable, Codable, Hashable, CaseIterable, CodingKeyRepresentable {
    /// All weights, zeros included.
    case dense
    /// As dense, weights and inputs rounded to `bfloat16`.
    case denseBFloat16 = "dense-bfloat16"
    /// Compressed sparse rows, computed as textbooks have it: what sparsity costs without any care. Networks never run by it.
    case csr
    /// Single nonzeros for products with one row of activations, or a few: ``SparseRows``.
    case rows
    /// As rows, with narrower weights.
    case rowsBFloat16 = "rows-bfloat16"
    case rowsInt8 = "rows-int8"
    /// Single nonzeros for products with many, and for convolutions: ``SparseMatrix``.
    case tiles
    /// As tiles, where most nonzeros share their input with others of four consecutive rows: an input is loaded once for all.
    case bands

    /// Whether zeros take neither memory nor multiply-accumulates.
    package var skipsZeros: Bool { self != .dense && self != .denseBFloat16 }

    /// How ``SparseRows`` store the weights; nil for other formats.
    package var rowStorage: SparseRows.Storage? {
        switch self {
        case .rows: .float32
        case .rowsBFloat16: .bfloat16
        case .rowsInt8: .int8
        case .dense, .denseBFloat16, .csr, .tiles, .bands: nil
        }
    }

    /// What the number of one weight takes.
    package var bytesPerNumber: Int {
        switch self {
        case .dense, .csr, .rows, .tiles, .bands: 4
        case .denseBFloat16, .rowsBFloat16: 2
        case .rowsInt8: 1
        }
    }

    /// See ``ThreadTeam/size(for:of:)``. Formats differ in how long a multiply-accumulate takes.
    var leastSharedMultiplyAccumulates: Int {
        switch self {
        case .dense: 1 << 18
        case .denseBFloat16: 1 << 19
        case .csr: .max
        // Bound by memory as much as by multiplying.
        case .rows, .rowsBFloat16, .rowsInt8: 1 << 17
        case .tiles, .bands: 1 << 18
        }
    }

    /// What one stored weight takes, with what tells where it belongs.
    var bytesPerWeight: Int {
        switch self {
        case .dense, .denseBFloat16: bytesPerNumber
        case .csr: bytesPerNumber + 4
        // About two bytes for its place and for padding.
        case .rows, .rowsBFloat16, .rowsInt8, .tiles, .bands: bytesPerNumber + 2
        }
    }
}

extension KernelFormat {
    /// The format of dense kernels for a product by constant weights.
    ///
    /// - Parameter activations: elements read and written besides the weights.
    package static func dense(
        in precision: Precision, multiplyAccumulates: Int, activations: Int
    ) -> KernelFormat {
        guard precision == .bfloat16, DNNLibrary.hasNativeBFloat16,
            multiplyAccumulates >= leastConvertedWork,
            multiplyAccumulates >= leastConvertedReuse * activations
        else { return .dense }
        return .denseBFloat16
    }

    // Measured with oneDNN 2.6 on Zen 4, the conversion of the input included: the products and convolutions below either take as
    // long in `bfloat16` as in `float32`, about a microsecond or bound by their activations, or longer; from twice as much
    // on all are faster, large ones 1.6 to 2 times.
    private static let leastConvertedWork = 1 << 16
    private static let leastConvertedReuse = 8
}
