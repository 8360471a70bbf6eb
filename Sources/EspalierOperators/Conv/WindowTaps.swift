import EspalierTensors

/// For every output position of a convolution or pooling, which input position meets which position of the kernel, in
/// ascending order; padding is left out.
package struct WindowTaps: Sendable {
    /// Where the pairs of each output position start, and where the last ones end.
    package private(set) var starts: [Int] = [0]
    package private(set) var inputs: [Int] = []
    package private(set) var kernels: [Int] = []

    init(_ windows: Windows) {
        let inputStrides = Shape(windows.axes.map(\.input)).strides
        let kernelStrides = Shape(windows.kernel).strides
        Shape(windows.outputs).forEachCoordinate { output in
            let taps = windows.axes.enumerated().map { $1.taps(at: output[$0]) }
            Shape(taps.map(\.count)).forEachCoordinate { offset in
                var input = 0
                var kernel = 0
                for axis in taps.indices {
                    let tap = taps[axis].lowerBound + offset[axis]
                    input += windows.axes[axis].position(output: output[axis], tap: tap) * inputStrides[axis]
                    kernel += tap * kernelStrides[axis]
                }
                inputs.append(input)
                kernels.append(kernel)
            }
            starts.append(inputs.count)
        }
    }
}
