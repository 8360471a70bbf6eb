/// How the weights of a product or convolution are kept, and so by which kernels it is computed.
package enum KernelFormat: String, Sendable, Codable, Hashable, CaseIterable, CodingKeyRepresentable {
    /// All weights, zeros included.
    case dense
    /// Compressed sparse rows, computed as textbooks have it: what sparsity costs without any care. Networks never run by it.
    case csr
    /// Single nonzeros for products with one row of activations, or a few: ``SparseRows``.
    case rows
    /// Single nonzeros for products with many, and for convolutions: ``SparseMatrix``.
    case tiles
    /// As tiles, where most nonzeros share their input with others of four consecutive rows: an input is loaded once for all.
    case bands

    /// Whether zeros take neither memory nor multiply-accumulates.
    package var skipsZeros: Bool { self != .dense }

    /// See ``ThreadTeam/size(for:of:)``. Formats differ in how long a multiply-accumulate takes.
    var leastSharedMultiplyAccumulates: Int {
        switch self {
        case .dense: 1 << 18
        case .csr: .max
        // Bound by memory as much as by multiplying.
        case .rows: 1 << 17
        case .tiles, .bands: 1 << 19
        }
    }

    /// What one stored weight takes, with what tells where it belongs.
    var bytesPerWeight: Int {
        switch self {
        case .dense: 4
        case .csr: 8
        // A number, and about half of that for its place and for padding.
        case .rows, .tiles, .bands: 6
        }
    }
}
