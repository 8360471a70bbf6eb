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
