package import EspalierTensors
package import Testing

/// How far apart two numbers may be: |actual - expected| <= absolute + relative |expected|, where equal infinities
/// and two not-a-numbers count as equal.
package struct Tolerance: Sendable {
    package var relative: Double
    package var absolute: Double

    package init(relative: Double = 1e-5, absolute: Double = 1e-5) {
        self.relative = relative
        self.absolute = absolute
    }

    package static let exact = Tolerance(relative: 0, absolute: 0)

    package func accepts(_ actual: Double, _ expected: Double) -> Bool {
        if actual == expected || (actual.isNaN && expected.isNaN) { return true }
        // An infinite bound would accept anything.
        guard actual.isFinite, expected.isFinite else { return false }
        return abs(actual - expected) <= absolute + relative * abs(expected)
    }
}

/// What is wrong with `actual`, in one line that names the worst element; nil if it is close enough.
package func difference(_ actual: Tensor, from expected: Tensor, _ tolerance: Tolerance) -> String? {
    guard actual.dtype == expected.dtype else { return "type \(actual.dtype), expected \(expected.dtype)" }
    guard actual.shape == expected.shape else { return "shape \(actual.shape), expected \(expected.shape)" }
    return difference(
        actual.scalars(as: Double.self), from: expected.scalars(as: Double.self), shape: actual.shape,
        tolerance)
}

/// As ``difference(_:from:_:)``, of plain numbers in row-major order.
package func difference(
    _ actual: [Double], from expected: [Double], shape: Shape, _ tolerance: Tolerance
) -> String? {
    guard actual.count == expected.count else { return "\(actual.count) numbers, expected \(expected.count)" }
    let wrong = actual.indices.filter { !tolerance.accepts(actual[$0], expected[$0]) }
    func error(_ position: Int) -> Double {
        let error = abs(actual[position] - expected[position])
        return error.isNaN ? .infinity : error
    }
    guard let worst = wrong.max(by: { error($0) < error($1) }) else { return nil }
    var coordinates: [Int] = []
    var rest = worst
    for stride in shape.strides {
        coordinates.append(stride == 0 ? 0 : rest / stride)
        rest = stride == 0 ? 0 : rest % stride
    }
    return "\(wrong.count) of \(actual.count) elements differ, worst at \(coordinates): "
        + "\(actual[worst]), expected \(expected[worst])"
}

/// Expects `actual` to have the type, the shape and, within tolerance, the elements of `expected`.
package func expectClose(
    _ actual: Tensor, _ expected: Tensor, relative: Double = 1e-5, absolute: Double = 1e-5,
    _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    if let problem = difference(actual, from: expected, Tolerance(relative: relative, absolute: absolute)) {
        Issue.record("\(label.isEmpty ? "" : label + ": ")\(problem)", sourceLocation: sourceLocation)
    }
}
