import EspalierTensors

/// Rectified linear unit: max(0, x).
package struct Relu: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Relu")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real {
        // The comparison this way round lets not-a-number through, as ONNX Runtime does.
        x < 0 ? 0 : x
    }

    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { x > 0 ? 1 : 0 }

    package var function: EpilogueStep? { .function(.relu, alpha: 0, beta: 0) }
}
