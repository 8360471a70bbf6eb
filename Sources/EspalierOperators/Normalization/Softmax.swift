/// The exponentials of the elements, divided by their sum: a distribution.
package struct Softmax: SoftmaxFamily {
    package static let schemas = [OperatorSchema("Softmax")]
    static let isLogarithm = false

    let attributes: SoftmaxAttributes

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try SoftmaxAttributes(attributes)
    }
}
