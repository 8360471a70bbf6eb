import EspalierGraphs
import EspalierTensors

/// Softmax and its logarithm: what they share.
///
/// From operator set 13 on they normalise along one axis; before, along all axes from `axis` on together.
protocol SoftmaxFamily: AxisLinking, Differentiable, Lowering, LipschitzBounding {
    /// What the node reads along.
    var attributes: SoftmaxAttributes { get }
    /// Whether the logarithm is wanted.
    static var isLogarithm: Bool { get }
}

package struct SoftmaxAttributes: Sendable {
    fileprivate let axis: Int
    /// Whether all axes from ``axis`` on are normalised together.
    fileprivate let flattens: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        flattens = attributes.opsetVersion < 13
        axis = try attributes.int("axis", default: flattens ? 1 : -1)
    }
}

/// A tensor seen as outer x normalised x inner.
struct NormalizedView: Hashable, Sendable {
    var outer: Int
    var width: Int
    var inner: Int
}

extension SoftmaxFamily {
    /// The axes that are normalised.
    ///
    /// - Throws: ``OperatorError`` if the node names one that does not exist.
    func normalizedAxes(_ shape: Shape) throws(OperatorError) -> Range<Int> {
        // The old form allows an axis behind the last, which leaves nothing to normalise but single elements.
        if shape.rank == 0 { return 0..<0 }
        let first = try shape.requireAxis(attributes.axis, below: shape.rank + (attributes.flattens ? 1 : 0))
        return attributes.flattens ? first..<shape.rank : first..<(first + 1)
    }

    func view(_ shape: Shape) throws(OperatorError) -> NormalizedView {
        let axes = try normalizedAxes(shape)
        return NormalizedView(
            outer: shape.count(0..<axes.lowerBound), width: shape.count(axes),
            inner: shape.count(axes.upperBound..<shape.rank))
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else { throw .input(0, problem: "softmax of \(input.dtype)") }
        _ = try normalizedAxes(input.shape)
        return [ValueFacts(dtype: input.dtype, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        let view = try view(input.shape)
        var output = input
        for outer in 0..<view.outer {
            for inner in 0..<view.inner {
                let positions = (0..<view.width).map { (outer * view.width + $0) * view.inner + inner }
                let largest = positions.reduce(-Real.infinity) { max($0, input.elements[$1]) }
                let powers = positions.map { Real.exp(input.elements[$0] - largest) }
                let sum = powers.reduce(0, +)
                for (position, power) in zip(positions, powers) {
                    output.elements[position] =
                        Self.isLogarithm
                        ? input.elements[position] - largest - Real.log(sum) : power / sum
                }
            }
        }
        return [.real(output)]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let shape = signature.inputShape(0)
        guard let normalized = try? normalizedAxes(shape) else { return links }
        for axis in 0..<shape.rank {
            if normalized.contains(axis) {
                links.frozen.append((.input(0, axis: axis), "softmax normalises along it"))
            } else {
                links.link(.input(0, axis: axis), .output(0, axis: axis))
            }
        }
        return links
    }
}

// MARK: - Bounds

extension SoftmaxFamily {
    /// Of softmax the derivative is diag p - p p^T: its eigenvalues and, as 2 p (1 - p), its rows' sums are at most 1/2.
    /// Of the logarithm it is I - 1 p^T, whose norm is largest where one of the n classes is certain: root of n, and 2.
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        guard Self.isLogarithm else { return LipschitzRule(.sum, [0: 0.5]) }
        let classes = try view(signature.inputShape(0)).width
        return LipschitzRule(.sum, [0: norm == .euclidean ? Double(classes).squareRoot() : 2])
    }
}
