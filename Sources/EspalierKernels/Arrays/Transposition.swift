import CSparseKernels

/// Transposing matrices of floats, which most permutations of axes come down to, and activations' way from row-major to channels
/// last and back.
package struct Transposition: Sendable {
    /// Matrices side by side, with the numbers from one to the next.
    package struct Batch: Sendable, Hashable {
        package var count = 1
        package var sourceStride = 0
        package var targetStride = 0

        package init(count: Int = 1, sourceStride: Int = 0, targetStride: Int = 0) {
            self.count = count
            self.sourceStride = sourceStride
            self.targetStride = targetStride
        }

        fileprivate var value: espalier_matrices {
            espalier_matrices(
                count: count, source_distance: sourceStride, destination_distance: targetStride)
        }
    }

    private let value: espalier_transposition

    /// Element (row, column) of a matrix, at `row * sourceStride + column`, goes to `column * targetStride + row`.
    ///
    /// - Parameter paddedRows: at least `rows`; elements of the rows past these, of the last matrix of each group, become zeros.
    /// - Precondition: nothing is negative.
    package init(
        rows: Int, columns: Int, sourceStride: Int, targetStride: Int, paddedRows: Int? = nil,
        outer: Batch = Batch(), inner: Batch = Batch()
    ) {
        value = espalier_transposition(
            rows: paddedRows ?? rows, columns: columns, source_pitch: sourceStride,
            destination_pitch: targetStride,
            outer: outer.value, inner: inner.value, last_rows: rows, last_columns: columns)
    }

    private init(_ value: espalier_transposition) { self.value = value }

    /// From row-major [samples, channels, positions] to [samples, positions, channels].
    package static func toChannelsLast(samples: Int, channels: Int, positions: Int) -> Transposition {
        Transposition(espalier_channels_to_last(samples, channels, positions))
    }

    /// Back.
    package static func fromChannelsLast(samples: Int, channels: Int, positions: Int) -> Transposition {
        Transposition(espalier_channels_from_last(samples, channels, positions))
    }

    /// Copies what does not overlap, shared out among the calling thread's team.
    package func callAsFunction(
        from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
    ) {
        let parts = withUnsafePointer(to: value) { espalier_transposition_parts($0) }
        let count = value.rows * value.columns * value.inner.count * value.outer.count
        ThreadTeam.parallel(parts, of: .moving(byteCount: 8 * count)) { range in
            withUnsafePointer(to: value) { value in
                espalier_transpose(
                    espalier_isa_active(), value, source, target, range.lowerBound, range.upperBound)
            }
        }
    }
}
