import CSparseKernels
import EspalierTensors
import Foundation

/// A packed sparse matrix, in memory of exactly the bytes that packing used, so that sanitizers see what is read
/// past them.
final class PackedMatrix {
    let pointer: UnsafeMutableRawPointer
    let bytes: Int
    let bound: Int

    init(_ shape: espalier_sparse_shape, _ weights: [Float]) {
        var shape = shape
        bound = espalier_sparse_packed_size(&shape, weights)
        let wide = UnsafeMutableRawPointer.allocate(byteCount: bound, alignment: 8)
        defer { wide.deallocate() }
        bytes = espalier_sparse_pack(&shape, weights, wide)
        pointer = .allocate(byteCount: bytes, alignment: 8)
        pointer.copyMemory(from: wide, byteCount: min(bytes, bound))
    }

    deinit { pointer.deallocate() }

    var rowBlocks: Int { espalier_sparse_row_blocks(pointer) }

    /// The ranges into which a number of tiles and the row blocks fall when both are cut.
    func ranges(tiles: Int, cut tile: Int, _ block: Int) -> [espalier_sparse_range] {
        [(0, tile), (tile, tiles - tile)].flatMap { first, count in
            [(0, block), (block, rowBlocks - block)].map { firstBlock, blocks in
                espalier_sparse_range(
                    first_tile: first, tiles: count, first_row_block: firstBlock, row_blocks: blocks)
            }
        }
    }
}

/// Calls `body` with scratch that holds not-a-number: kernels must not count on what is there.
func withScratch(_ bytes: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
    defer { scratch.deallocate() }
    body(scratch)
}

/// Calls `body` with a copy of `values` that begins with a line, where kernels may read activations in place.
func withAligned(_ values: [Float], _ body: (UnsafePointer<Float>) -> Void) {
    let bytes = values.count * MemoryLayout<Float>.stride
    let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { copy.deallocate() }
    let floats = copy.initializeMemory(as: Float.self, from: values, count: values.count)
    body(floats)
}

/// What follows the sums, and the same in double precision.
enum Activation: CaseIterable {
    case none, rectifier, clip, hardSwish, gelu

    func epilogue(bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?) -> espalier_epilogue {
        let function =
            switch self {
            case .none: ESPALIER_ACTIVATION_NONE
            case .rectifier: ESPALIER_ACTIVATION_RELU
            case .clip: ESPALIER_ACTIVATION_CLIP
            case .hardSwish: ESPALIER_ACTIVATION_HARD_SWISH
            case .gelu: ESPALIER_ACTIVATION_GELU
            }
        return espalier_epilogue(
            bias: bias, residual: residual,
            activation: espalier_activation(function: function, lower: -0.25, upper: 0.5))
    }

    func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .none: x
        case .rectifier: max(0, x)
        case .clip: max(-0.25, min(0.5, x))
        case .hardSwish: x * max(0, min(6, x + 3)) / 6
        case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        }
    }
}

/// A sum in double precision, with that of magnitudes, by which single precision may err.
struct ExactSum {
    private(set) var value = 0.0
    private(set) var magnitude = 0.0

    mutating func add(_ left: Float, _ right: Float = 1) {
        let product = Double(left) * Double(right)
        value += product
        magnitude += abs(product)
    }

    /// Whether `found` is the sum under `activation`, after `terms` roundings of half a unit in the last place each and those of the activation.
    func matches(_ found: Float, _ activation: Activation, terms: Int) -> Bool {
        let roundings = Double(terms + 4) * Double(Float.ulpOfOne) / 2
        // The slope of no activation is above 1.13.
        return abs(Double(found) - activation(value)) <= 1.2 * magnitude * roundings + 1e-6
            * max(1, abs(value))
    }
}

extension RandomSource {
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in uniform(in: -1...1) } }

    mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
