import EspalierKernels
import EspalierTensors

// Plain loops in Double, which everything else is compared with.

/// All multi-indices of a shape, in row-major order.
func indices(of extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { heads, extent in
        heads.flatMap { head in (0..<extent).map { head + [$0] } }
    }
}

/// The place of a multi-index in row-major order.
func offset(_ index: [Int], in extents: [Int]) -> Int {
    zip(index, extents).reduce(0) { $0 * $1.1 + $1.0 }
}

/// Where a window's element lies in the source, or nil in the padding.
func position(
    window: [Int], element: [Int], strides: [Int], dilations: [Int], padding: [Int], extents: [Int]
) -> [Int]? {
    var result: [Int] = []
    for axis in window.indices {
        let place = window[axis] * strides[axis] + element[axis] * dilations[axis] - padding[axis]
        guard (0..<extents[axis]).contains(place) else { return nil }
        result.append(place)
    }
    return result
}

extension DNNConvolution {
    /// Calls `body` with the offsets of source, weight and destination for each product that the convolution adds up.
    func forEachProduct(_ body: (_ source: Int, _ weight: Int, _ destination: Int) -> Void) {
        let kernel = Array(weights.extents.dropFirst(2))
        let windows = Array(destination.extents.dropFirst(2))
        let extents = Array(source.extents.dropFirst(2))
        let outputsPerGroup = weights[0] / groups
        for sample in 0..<source[0] {
            for output in 0..<weights[0] {
                for window in indices(of: windows) {
                    let target = offset([sample, output] + window, in: destination.extents)
                    for input in 0..<weights[1] {
                        let channel = output / outputsPerGroup * weights[1] + input
                        for element in indices(of: kernel) {
                            guard
                                let place = position(
                                    window: window, element: element, strides: strides, dilations: dilations,
                                    padding: paddingBegin, extents: extents)
                            else { continue }
                            body(
                                offset([sample, channel] + place, in: source.extents),
                                offset([output, input] + element, in: weights.extents), target)
                        }
                    }
                }
            }
        }
    }

    /// The channel of an element of the destination.
    func channel(ofDestination offset: Int) -> Int {
        offset / destination.count(2..<destination.rank) % destination[1]
    }
}

/// The largest difference between two arrays, relative to the largest of the expected values.
func relativeDifference(_ actual: [Float], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.reduce(1e-30) { max($0, abs($1)) }
    let worst = zip(actual, expected).reduce(0.0) { worst, pair in
        let difference = abs(Double(pair.0) - pair.1)
        return difference.isNaN ? .infinity : max(worst, difference)
    }
    return worst / scale
}
