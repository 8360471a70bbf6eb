import EspalierKernels

/// Rectified linear unit: max(0, x).
package struct Relu: IntegerElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Relu")]

    package init(_ attributes: AttributeReader) {}

    // The comparison this way round lets not-a-number through, as ONNX Runtime does.
    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x < 0 ? 0 : x }
    package func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { max(0, x) }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { y > 0 ? 1 : 0 }
    package var derivativeTakesOutput: Bool { true }

    package func values(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, count: Int
    ) {
        Rectifier.apply(to: input, into: output, count: count)
    }

    package func gradients(
        _ argument: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        Rectifier.gradient(at: argument, times: gradient, into: result, count: count)
    }

    package var function: EpilogueStep? { .function(.relu, alpha: 0, beta: 0) }
}

extension Relu: BoundedSlope {
    package var largestSlope: Double { 1 }
}

extension Relu: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .slopes(belowZero: 0)
    }
}
