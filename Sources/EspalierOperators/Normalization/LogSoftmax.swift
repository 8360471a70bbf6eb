/// The logarithm of the softmax.
package struct LogSoftmax: SoftmaxFamily {
    package static let schemas = [OperatorSchema("LogSoftmax")]
    static let isLogarithm = true

    let attributes: SoftmaxAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try SoftmaxAttributes(attributes)
    }
}
