package import EspalierOperators

/// A^T A, or where that is less work A A^T, of a linear map: what a certificate is computed from. Groups of a convolution
/// are blocks of their own.
package struct GramMatrix {
    /// Which vectors the matrix acts on.
    package enum Side: Sendable { case input, output }

    let map: LinearMap
    package let side: Side
    /// Of every block.
    let order: Int
    let bandwidth: Int
    let blockCount: Int

    /// Multiplications and additions that a Cholesky factorisation of all blocks takes.
    var factorisationWork: Double {
        Double(blockCount) * Double(order) * Double(bandwidth + 1) * Double(bandwidth + 1)
    }

    /// The memory of one block and of what it is made from, in bytes.
    var byteCount: Double {
        var products = 0.0
        if case .convolution(let map) = map {
            let kept = side == .input ? map.groupInputs : map.groupOutputs
            products = Double(map.kernelPositions * map.kernelPositions) * Double(kept * kept)
        }
        return 8 * (Double(order) * Double(bandwidth + 64) + products)
    }

    /// The side on which the factorisation is less work; nil for a map whose norm needs none.
    package init?(_ map: LinearMap) {
        self.map = map
        switch map {
        case .scaling: return nil
        case .matrix(let matrix):
            side = matrix.columns <= matrix.rows ? .input : .output
            order = min(matrix.columns, matrix.rows)
            bandwidth = max(order - 1, 0)
            blockCount = 1
        case .convolution(let convolution):
            let spans = convolution.taps.spans(inputs: convolution.inputPositions)
            func extents(_ positions: Int, _ span: Int, _ channels: Int) -> (order: Int, bandwidth: Int) {
                let order = positions * channels
                return (order, min(max(order - 1, 0), span * channels + channels - 1))
            }
            func work(_ extents: (order: Int, bandwidth: Int)) -> Double {
                Double(extents.order) * Double(extents.bandwidth) * Double(extents.bandwidth)
            }
            let input = extents(convolution.inputPositions, spans.input, convolution.groupInputs)
            let output = extents(convolution.outputPositions, spans.output, convolution.groupOutputs)
            side = work(input) <= work(output) ? .input : .output
            (order, bandwidth) = side == .input ? input : output
            blockCount = convolution.groups
        }
    }

    /// The matrix of block `index`.
    func block(_ index: Int) -> SymmetricBandMatrix {
        var result = SymmetricBandMatrix(order: order, bandwidth: bandwidth)
        switch map {
        case .scaling: break
        case .matrix(let matrix):
            result.addGram(rows: side == .input ? matrix : matrix.transposed)
        case .convolution(let convolution):
            result.addGram(convolution, group: index, side: side)
        }
        return result
    }
}

extension WindowTaps {
    /// How far apart input positions that one window sees can be, and output positions whose windows see one input.
    fileprivate func spans(inputs count: Int) -> (input: Int, output: Int) {
        var input = 0
        var first = [Int?](repeating: nil, count: count)
        var output = 0
        for position in 0..<(starts.count - 1) {
            let range = starts[position]..<starts[position + 1]
            if let last = range.last { input = max(input, inputs[last] - inputs[range.lowerBound]) }
            for tap in range {
                let start = first[inputs[tap]] ?? position
                first[inputs[tap]] = start
                output = max(output, position - start)
            }
        }
        return (input, output)
    }
}

extension SymmetricBandMatrix {
    /// Adds the outer product of every row with itself. All diagonals are there.
    fileprivate mutating func addGram(rows: MatrixMap) {
        TriangleProduct.add(
            rows.elements, rows.elements, depth: rows.rows, order: order, to: &elements, leading: stride - 1)
    }

    /// Adds the Gram matrix of one group of a convolution.
    ///
    /// Two input positions meet in the windows that see both, with the products of the filters at the two taps summed
    /// over output channels; two output positions meet in the inputs that both see. So the products are needed once
    /// for each pair of taps, whatever the number of positions.
    fileprivate mutating func addGram(_ map: ConvolutionMap, group: Int, side: GramMatrix.Side) {
        let kept = side == .input ? map.groupInputs : map.groupOutputs
        let products = TapProducts(map, group: group, side: side)
        let scales = map.positionScales
        let stride = stride
        var meetings = [[(position: Int, tap: Int)]]()
        switch side {
        case .input:
            meetings = (0..<map.outputPositions).map { output in
                (map.taps.starts[output]..<map.taps.starts[output + 1]).map {
                    (map.taps.inputs[$0], map.taps.kernels[$0])
                }
            }
        case .output:
            meetings = [[(position: Int, tap: Int)]](repeating: [], count: map.inputPositions)
            for output in 0..<map.outputPositions {
                for tap in map.taps.starts[output]..<map.taps.starts[output + 1] {
                    meetings[map.taps.inputs[tap]].append((output, map.taps.kernels[tap]))
                }
            }
        }
        elements.withUnsafeMutableBufferPointer { result in
            products.elements.withUnsafeBufferPointer { products in
                guard let result = result.baseAddress, let products = products.baseAddress else { return }
                for (centre, met) in meetings.enumerated() {
                    for (index, row) in met.enumerated() {
                        for column in met[...index] {
                            var scale = 1.0
                            if let scales {
                                scale =
                                    side == .input
                                    ? scales[centre] * scales[centre]
                                    : scales[row.position] * scales[column.position]
                            }
                            let block =
                                products + (row.tap * map.kernelPositions + column.tap) * kept * kept
                            let isDiagonal = row.position == column.position
                            for channel in 0..<kept {
                                let first = isDiagonal ? channel : 0
                                let place =
                                    (column.position * kept + channel) * stride
                                    + (row.position - column.position) * kept + first - channel
                                addScaled(
                                    block + channel * kept + first, by: scale, to: result + place,
                                    count: kept - first)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// For each pair of taps of a group's filters, the products summed over the channels of the other side.
private struct TapProducts {
    /// By tap of the row, tap of the column, channel of the column, channel of the row.
    private(set) var elements: [Double]

    init(_ map: ConvolutionMap, group: Int, side: GramMatrix.Side) {
        let (kept, summed) =
            side == .input ? (map.groupInputs, map.groupOutputs) : (map.groupOutputs, map.groupInputs)
        // By tap, kept channel and summed channel.
        let filters = side == .input ? map.filters : map.transposedFilters
        let taps = map.kernelPositions
        let start = group * taps * kept * summed
        elements = [Double](repeating: 0, count: taps * taps * kept * kept)
        filters.withUnsafeBufferPointer { filters in
            guard let filters = filters.baseAddress.map({ $0 + start }) else { return }
            for row in 0..<taps {
                for column in 0..<taps {
                    // Later inputs are seen by later taps, and an input is seen by later windows' earlier taps.
                    guard side == .input ? row >= column : row <= column else { continue }
                    let block = (row * taps + column) * kept * kept
                    for columnChannel in 0..<kept {
                        let right = filters + (column * kept + columnChannel) * summed
                        for rowChannel in 0..<kept {
                            let left = filters + (row * kept + rowChannel) * summed
                            elements[block + columnChannel * kept + rowChannel] =
                                dotProduct(left, right, count: summed)
                        }
                    }
                }
            }
        }
    }
}
