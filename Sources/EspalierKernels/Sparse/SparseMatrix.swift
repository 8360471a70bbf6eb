import CSparseKernels
package import EspalierTensors

/// Weights with zeros anywhere, packed for products with many columns and for convolutions: the tiles of
/// `espalier_sparse_matrix.h`.
package final class SparseMatrix {
    private let rows: Int
    private let packed: AlignedStorage
    private let rowBlocks: Int
    private let channels: Int
    private let nonzeros: Int

    /// - Parameters:
    ///   - weights: `float32`, [rows, channels of a group, taps].
    ///   - columns: how many there will be, at a guess.
    ///   - threads: that will share a product.
    package init(
        _ weights: Tensor, rows: Int, groups: Int = 1, channels: Int, taps: Int = 1, columns: Int,
        threads: Int
    ) {
        var shape = Self.shape(
            rows: rows, groups: groups, channels: channels, taps: taps, columns: columns, threads: threads)
        packed = weights.withUnsafeScalars(of: Float.self) { scalars in
            let storage = AlignedStorage(byteCount: espalier_sparse_packed_size(&shape, scalars.baseAddress))
            _ = espalier_sparse_pack(&shape, scalars.baseAddress, storage.base)
            return storage
        }
        self.rows = rows
        self.channels = channels
        rowBlocks = espalier_sparse_row_blocks(packed.base)
        nonzeros = espalier_sparse_nonzeros(packed.base)
    }

    private static func shape(
        rows: Int, groups: Int, channels: Int, taps: Int, columns: Int, threads: Int
    ) -> espalier_sparse_shape {
        var shape = espalier_sparse_shape()
        shape.rows = rows
        shape.groups = groups
        shape.channels = channels
        shape.taps = taps
        shape.columns = columns
        shape.row_parts = threads
        return shape
    }

    /// Whether most nonzeros share their input with others of four consecutive rows, which makes the product faster: weights
    /// pruned in blocks, or with few zeros.
    ///
    /// - Parameter weights: as for ``init(_:rows:groups:channels:taps:columns:threads:)``.
    package static func isBanded(
        _ weights: Tensor, rows: Int, groups: Int = 1, channels: Int, taps: Int = 1, columns: Int
    ) -> Bool {
        var shape = shape(
            rows: rows, groups: groups, channels: channels, taps: taps, columns: columns, threads: 1)
        let banded = weights.withUnsafeScalars(of: Float.self) {
            espalier_sparse_expected_banded(&shape, $0.baseAddress)
        }
        return 2 * banded > weights.nonzeroCount
    }

    /// Bytes of one thread's scratch memory, 64-byte aligned, for a product.
    package var productScratch: Int { (espalier_sparse_product_scratch(packed.base) + 63) / 64 * 64 }

    /// output = activation(weights x input + ...), both as columns in memory, as tokens by features are: row n of
    /// `input` are the `channels` numbers of column n, row n of `output` its `rows` results.
    ///
    /// - Parameters:
    ///   - scratch: ``productScratch`` bytes for each of `threads`.
    package func multiply(
        _ input: UnsafePointer<Float>, columns: Int, into output: UnsafeMutablePointer<Float>,
        then epilogue: SparseEpilogue, scratch: UnsafeMutableRawPointer, threads: Int
    ) {
        var operands = espalier_sparse_operands()
        operands.columns = columns
        operands.input = input
        operands.input_pitch = channels
        operands.input_transposed = true
        operands.output = output
        operands.output_pitch = rows
        operands.output_transposed = true
        let operation = epilogue.operation
        divide(
            tiles: espalier_sparse_tiles(packed.base, columns),
            threads: team(of: threads, columns: columns)
        ) { range, thread in
            withUnsafePointer(to: operands) { operands in
                withUnsafePointer(to: operation) { operation in
                    espalier_sparse_product(
                        espalier_isa_active(), packed.base, operands, operation, range,
                        scratch + thread * productScratch)
                }
            }
        }
    }

    /// Bytes of one thread's scratch memory, 64-byte aligned, for a convolution.
    package func convolutionScratch(_ geometry: SparseGeometry) -> Int {
        var geometry = geometry.values
        return (espalier_sparse_convolution_scratch(packed.base, &geometry) + 63) / 64 * 64
    }

    /// The convolution of row-major activations, [samples, channels, height, width].
    ///
    /// - Parameters:
    ///   - scratch: ``convolutionScratch(_:)`` bytes for each of `threads`.
    package func convolve(
        _ input: UnsafePointer<Float>, _ geometry: SparseGeometry, into output: UnsafeMutablePointer<Float>,
        then epilogue: SparseEpilogue, scratch: UnsafeMutableRawPointer, threads: Int
    ) {
        var values = geometry.values
        let tiles = espalier_sparse_convolution_tiles(packed.base, &values)
        let (size, operation) = (convolutionScratch(geometry), epilogue.operation)
        let columns = values.samples * values.output_height * values.output_width
        divide(tiles: tiles, threads: team(of: threads, columns: columns)) { range, thread in
            withUnsafePointer(to: geometry.values) { values in
                withUnsafePointer(to: operation) { operation in
                    espalier_sparse_convolution(
                        espalier_isa_active(), packed.base, values, input, output, operation, range,
                        scratch + thread * size)
                }
            }
        }
    }

    private func team(of threads: Int, columns: Int) -> Int {
        ThreadTeam.size(for: .product(.tiles, multiplyAccumulates: nonzeros * columns), of: threads)
    }

    /// Shares out tiles of columns by blocks of rows, evenly: threads that can't have the same number of whole tiles (or, where
    /// there are fewer tiles, blocks) divide some between them.
    private func divide(tiles: Int, threads: Int, _ body: (espalier_sparse_range, _ thread: Int) -> Void) {
        let byTiles = tiles >= rowBlocks
        let (lines, width) = byTiles ? (tiles, rowBlocks) : (rowBlocks, tiles)
        let units = lines * width
        let parts = min(threads, units)
        ThreadTeam.parallel(parts) { mine in
            for part in mine {
                var first = units * part / parts
                let end = units * (part + 1) / parts
                while first < end {
                    let (line, offset) = first.quotientAndRemainder(dividingBy: width)
                    // The rest of a line, whole lines, the beginning of one: no more than three pieces.
                    let isWhole = offset == 0 && end - first >= width
                    let count = isWhole ? (end - first) / width : 1
                    let extent = isWhole ? width : min(width - offset, end - first)
                    var range = espalier_sparse_range()
                    (range.first_tile, range.tiles) = byTiles ? (line, count) : (offset, extent)
                    (range.first_row_block, range.row_blocks) = byTiles ? (offset, extent) : (line, count)
                    body(range, part)
                    first += isWhole ? count * width : extent
                }
            }
        }
    }
}

/// What follows the sums of a sparse product.
package struct SparseEpilogue {
    package enum Activation: Hashable, Sendable {
        case none
        case clip(Float, Float)
        case hardSwish
        case gelu

        /// max(x, 0).
        package static let relu = Activation.clip(0, .infinity)
    }

    /// One number for each row.
    package var bias: UnsafePointer<Float>?
    /// Numbers to add, which lie as the output does and may be its own.
    package var residual: UnsafePointer<Float>?
    package var activation: Activation

    package init(
        bias: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
        activation: Activation = .none
    ) {
        self.bias = bias
        self.residual = residual
        self.activation = activation
    }

    var operation: espalier_epilogue {
        var result = espalier_epilogue()
        result.bias = bias
        result.residual = residual
        switch activation {
        case .none: result.activation.function = ESPALIER_ACTIVATION_NONE
        case .clip(let low, let high):
            result.activation.function = ESPALIER_ACTIVATION_CLIP
            result.activation.lower = low
            result.activation.upper = high
        case .hardSwish: result.activation.function = ESPALIER_ACTIVATION_HARD_SWISH
        case .gelu: result.activation.function = ESPALIER_ACTIVATION_GELU
        }
        return result
    }
}

/// A convolution of two spatial axes.
package struct SparseGeometry: Sendable {
    var values: espalier_sparse_geometry

    /// Pairs are of the vertical and the horizontal axis.
    package init(
        samples: Int, channels: Int, input: (Int, Int), kernel: (Int, Int), strides: (Int, Int),
        dilations: (Int, Int), paddingBefore: (Int, Int), output: (Int, Int)
    ) {
        values = espalier_sparse_geometry()
        values.samples = samples
        values.channels = channels
        (values.height, values.width) = input
        (values.kernel_height, values.kernel_width) = kernel
        (values.stride_height, values.stride_width) = strides
        (values.dilation_height, values.dilation_width) = dilations
        (values.padding_top, values.padding_left) = paddingBefore
        (values.output_height, values.output_width) = output
    }
}
