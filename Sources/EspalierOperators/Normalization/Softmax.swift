import EspalierTensors

/// The exponentials of the elements, divided by their sum: a distribution.
package struct Softmax: SoftmaxFamily, ClassDistribution {
    package static let schemas = [OperatorSchema("Softmax")]
    static let isLogarithm = false

    let attributes: SoftmaxAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try SoftmaxAttributes(attributes)
    }

    /// The cross-entropy of logits is that of log-probabilities, so ``LogSoftmax`` needs no such thing.
    package func logitsPort(_ signature: Signature) -> Int? {
        let shape = signature.outputShape()
        return shape.rank == 2 && (try? normalizedAxes(shape)) == 1..<2 ? 0 : nil
    }
}
