import EspalierKernels
import EspalierTensors

/// The mean over all positions of each channel.
package struct GlobalAveragePool: GlobalPooling {
    package static let schemas = [OperatorSchema("GlobalAveragePool")]

    static let kind = DNNPooling.Kind.averageExcludingPadding

    package init(_ attributes: AttributeReader) {}

    func pooled<Real: ReferenceReal>(_ elements: ArraySlice<Real>) -> Real {
        elements.reduce(0, +) / Real(elements.count)
    }
}

extension GlobalAveragePool: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard scale == nil else { throw .unsupported("a scale of pooled channels") }
        let shape = signature.inputShape(0)
        return .matrix(.mean(of: shape.count(2..<shape.rank)))
    }
}

extension GlobalAveragePool: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        let shape = signature.inputShape(0)
        return .affine(
            AffinePropagation(.sample, roundings: shape.count(2..<shape.rank) + 2, gradientRoundings: 2))
    }
}
