import EspalierTensors

/// A convolution of one sample at its true size: any number of spatial axes, strides, paddings, dilations and groups, and
/// optionally a factor for every output position (which average pooling has at its borders).
///
/// Vectors are ordered by positions, and the channels of a position lie side by side. Axes are sorted by extent, the
/// longest outermost, so that positions which one window sees lie near each other.
package struct ConvolutionMap: Sendable {
    package let groups: Int
    /// The channels of one group.
    package let groupInputs: Int
    package let groupOutputs: Int
    /// The longest axis first.
    package let windows: Windows
    /// By group, kernel position, input channel and output channel; and the same with the last two exchanged.
    package let filters: [Double]
    package let transposedFilters: [Double]
    /// By output position; nil if all are 1.
    package let positionScales: [Double]?
    package let taps: WindowTaps

    package let inputPositions: Int
    package let outputPositions: Int
    package let kernelPositions: Int

    package var inputCount: Int { inputPositions * groups * groupInputs }
    package var outputCount: Int { outputPositions * groups * groupOutputs }
    package var mostTerms: Int { kernelPositions * max(groupInputs, groupOutputs) }
    var isFinite: Bool { filters.allSatisfy(\.isFinite) && positionScales?.allSatisfy(\.isFinite) ?? true }

    /// - Parameters:
    ///   - weights: by output channel, input channel of its group and kernel position, as ONNX has it.
    ///   - positionScales: by output position, in the order of `windows`.
    init(groups: Int, groupInputs: Int, windows: Windows, weights: [Double], positionScales: [Double]? = nil)
    {
        let order = windows.axes.indices.sorted {
            (windows.axes[$1].input, $0) < (windows.axes[$0].input, $1)
        }
        self.windows = Windows(axes: order.map { windows.axes[$0] })
        self.groups = groups
        self.groupInputs = groupInputs
        taps = WindowTaps(self.windows)
        inputPositions = windows.axes.reduce(1) { $0 * $1.input }
        outputPositions = windows.axes.reduce(1) { $0 * $1.output }
        kernelPositions = windows.axes.reduce(1) { $0 * $1.kernel }
        let channels = weights.count / max(groupInputs * kernelPositions, 1)
        groupOutputs = channels / groups
        let kernel = Self.positions(extents: windows.kernel, in: order)
        var filters = [Double](repeating: 0, count: weights.count)
        var transposed = filters
        for channel in 0..<channels {
            let (group, output) = channel.quotientAndRemainder(dividingBy: groupOutputs)
            for input in 0..<groupInputs {
                for tap in 0..<kernelPositions {
                    let weight = weights[(channel * groupInputs + input) * kernelPositions + kernel[tap]]
                    let block = (group * kernelPositions + tap) * groupInputs * groupOutputs
                    filters[block + input * groupOutputs + output] = weight
                    transposed[block + output * groupInputs + input] = weight
                }
            }
        }
        self.filters = filters
        transposedFilters = transposed
        self.positionScales = positionScales.map { scales in
            Self.positions(extents: windows.outputs, in: order).map { scales[$0] }
        }
    }

    private init(magnitudesOf map: ConvolutionMap) {
        groups = map.groups
        groupInputs = map.groupInputs
        groupOutputs = map.groupOutputs
        windows = map.windows
        filters = map.filters.map(\.magnitude)
        transposedFilters = map.transposedFilters.map(\.magnitude)
        positionScales = map.positionScales?.map(\.magnitude)
        taps = map.taps
        inputPositions = map.inputPositions
        outputPositions = map.outputPositions
        kernelPositions = map.kernelPositions
    }

    var magnitudes: ConvolutionMap { ConvolutionMap(magnitudesOf: self) }

    /// For each position in an order of the axes, the position in the axes' own order.
    private static func positions(extents: [Int], in order: [Int]) -> [Int] {
        let strides = Shape(extents).strides
        var positions: [Int] = []
        Shape(order.map { extents[$0] }).forEachCoordinate { coordinates in
            positions.append(zip(order, coordinates).reduce(0) { $0 + strides[$1.0] * $1.1 })
        }
        return positions
    }
}

// MARK: - Application

extension ConvolutionMap {
    func apply(_ vector: [Double]) -> [Double] {
        multiply(vector, by: filters, isTransposed: false)
    }

    func applyTransposed(_ vector: [Double]) -> [Double] {
        multiply(vector, by: transposedFilters, isTransposed: true)
    }

    /// Goes through all pairs of an output position and an input position that it sees.
    private func multiply(_ vector: [Double], by filters: [Double], isTransposed: Bool) -> [Double] {
        let (sources, targets) = isTransposed ? (groupOutputs, groupInputs) : (groupInputs, groupOutputs)
        var result = [Double](repeating: 0, count: isTransposed ? inputCount : outputCount)
        filters.withUnsafeBufferPointer { filters in
            vector.withUnsafeBufferPointer { vector in
                result.withUnsafeMutableBufferPointer { result in
                    guard let filters = filters.baseAddress, let vector = vector.baseAddress,
                        let result = result.baseAddress
                    else { return }
                    for output in 0..<outputPositions {
                        let scale = positionScales?[output] ?? 1
                        for tap in taps.starts[output]..<taps.starts[output + 1] {
                            let input = taps.inputs[tap]
                            let (from, to) = isTransposed ? (output, input) : (input, output)
                            for group in 0..<groups {
                                let block = group * kernelPositions + taps.kernels[tap]
                                let filter = filters + block * sources * targets
                                let source = vector + (from * groups + group) * sources
                                let target = result + (to * groups + group) * targets
                                for channel in 0..<sources {
                                    addScaled(
                                        filter + channel * targets, by: scale * source[channel], to: target,
                                        count: targets)
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }
}
