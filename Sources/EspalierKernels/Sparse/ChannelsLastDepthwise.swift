import CSparseKernels
package import EspalierTensors

/// A depthwise convolution of activations channels last, as dense convolutions read and write them.
package struct ChannelsLastDepthwise {
    private let geometry: SparseGeometry
    private let weights: AlignedStorage
    private let units: Int

    /// nil where oneDNN is faster, or there is no kernel: measured with AVX-512, all other layers of MobileNet take 0.6 to 0.9 of
    /// oneDNN's time. Lines of many channels, a power of two apart, are too many for their place in the first-level cache.
    ///
    /// - Parameter weights: [channels, 1, kernel height, kernel width].
    package init?(_ geometry: SparseGeometry, weights: Tensor) {
        var values = geometry.values
        let crowding = values.kernel_height == 3 ? (values.stride_height == 1 ? 1024 : 256) : 512
        guard espalier_isa_active() == ESPALIER_ISA_AVX512, espalier_depthwise_channels_supports(&values),
            !(values.channels.isMultiple(of: crowding)
                && (values.kernel_height == 3 || values.stride_height == 2))
        else { return nil }
        self.geometry = geometry
        units = espalier_depthwise_channels_units(&values)
        let packed = AlignedStorage(byteCount: 4 * espalier_depthwise_channels_packed_floats(&values))
        weights.withUnsafeScalars(of: Float.self) { weights in
            guard let weights = weights.baseAddress else { return }
            espalier_depthwise_channels_pack(
                &values, weights, packed.base.assumingMemoryBound(to: Float.self))
        }
        self.weights = packed
    }

    /// From and to [samples, height, width, channels], shared out among the calling thread's team.
    package func convolve(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, then epilogue: SparseEpilogue
    ) {
        let (values, operation) = (geometry.values, epilogue.operation)
        let packed = UnsafePointer(weights.base.assumingMemoryBound(to: Float.self))
        ThreadTeam.parallel(units) { range in
            withUnsafePointer(to: values) { values in
                withUnsafePointer(to: operation) { operation in
                    espalier_depthwise_channels_convolution(
                        espalier_isa_active(), values, input, packed, output, operation, range.lowerBound,
                        range.upperBound)
                }
            }
        }
    }
}
