import EspalierKernels
import EspalierTensors

/// The largest element over all positions of each channel.
package struct GlobalMaxPool: GlobalPooling {
    package static let schemas = [OperatorSchema("GlobalMaxPool")]

    static let kind = DNNPooling.Kind.maximum

    package init(_ attributes: AttributeReader) {}

    func pooled<Real: ReferenceReal>(_ elements: ArraySlice<Real>) -> Real {
        elements.reduce(-Real.greatestFiniteMagnitude) { $1 > $0 ? $1 : $0 }
    }
}

extension GlobalMaxPool: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        LipschitzRule(.sum, [0: 1])
    }
}

extension GlobalMaxPool: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .maximum(Windows(covering: Array(signature.inputShape(0).extents.dropFirst(2))))
    }
}
