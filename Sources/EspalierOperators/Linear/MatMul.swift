import EspalierTensors

/// The matrix product of NumPy's `matmul`: the last two axes multiply, leading axes broadcast, vectors are allowed.
package struct MatMul: Operator {
    package static let schemas = [OperatorSchema("MatMul")]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let dtype = try inputs.multipliedType(0, 1)
        let product = try MatrixProduct(left: inputs.required(0).shape, right: inputs.required(1).shape)
        return [ValueFacts(dtype: dtype, shape: product.output)]
    }

    package func multiplyAccumulates(_ signature: Signature, nonzeros: [Int?]) -> Int {
        guard let product = product(signature) else { return 0 }
        return product.multiplyAccumulates(
            leftNonzeros: nonzeros.first.flatMap { $0 },
            rightNonzeros: nonzeros.dropFirst().first.flatMap { $0 })
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let product = try MatrixProduct(left: call.value(0).shape, right: call.value(1).shape)
        if try call.value(0).isInteger {
            let (left, right) = (try call.integer(0), try call.integer(1))
            let elements = product.multiply(left.elements, right.elements) { $0 &+= $1 &* $2 }
            return [.integer(NDArray(shape: product.output, elements: elements))]
        }
        let (left, right) = (try call.real(0), try call.real(1))
        let elements = product.multiply(left.elements, right.elements) { $0 += $1 * $2 }
        return [.real(NDArray(shape: product.output, elements: elements))]
    }

    /// The extents, which inference has already found to fit.
    func product(_ signature: Signature) -> MatrixProduct? {
        try? MatrixProduct(left: signature.inputShape(0), right: signature.inputShape(1))
    }
}
