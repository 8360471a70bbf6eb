import CSparseKernels

/// Depthwise convolutions of row-major activations, as the sparse convolutions beside them read and write.
package struct DepthwiseConvolution {
    private let geometry: SparseGeometry
    /// Filters for each channel.
    private let multiplier: Int

    package init(_ geometry: SparseGeometry, multiplier: Int) {
        self.geometry = geometry
        self.multiplier = multiplier
    }

    /// Bytes of one thread's scratch memory, 64-byte aligned.
    package var scratch: Int {
        var values = geometry.values
        return (espalier_depthwise_scratch(espalier_isa_active(), &values) + 63) / 64 * 64
    }

    /// - Parameters:
    ///   - weights: [channels x multiplier, kernel height, kernel width].
    ///   - scratch: ``scratch`` bytes for each of `threads`.
    package func convolve(
        _ input: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
        into output: UnsafeMutablePointer<Float>,
        then epilogue: SparseEpilogue, scratch: UnsafeMutableRawPointer, threads: Int
    ) {
        let (values, operation, size) = (geometry.values, epilogue.operation, self.scratch)
        let planes = values.samples * values.channels * multiplier
        let taps = values.kernel_height * values.kernel_width
        let work = planes * values.output_height * values.output_width * taps
        let parts = min(
            ThreadTeam.size(for: .product(.dense, multiplyAccumulates: work), of: threads), planes)
        ThreadTeam.parallel(parts) { mine in
            for part in mine {
                let first = planes * part / parts
                withUnsafePointer(to: values) { values in
                    withUnsafePointer(to: operation) { operation in
                        espalier_depthwise_convolution(
                            espalier_isa_active(), values, multiplier, input, weights, output, operation,
                            first,
                            planes * (part + 1) / parts - first, scratch + part * size)
                    }
                }
            }
        }
    }
}
