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
        if case .integer(let left) = try call.value(0) {
            let right = try call.integer(1)
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

// MARK: - Axes

extension MatMul: AxisLinking {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        guard let product = product(signature) else { return links }
        let (left, right) = (signature.inputShape(0), signature.inputShape(1))
        let output = signature.outputShape()
        let leftInner = PortAxis.input(0, axis: left.rank - 1)
        let rightInner = PortAxis.input(1, axis: product.rightIsVector ? 0 : right.rank - 2)
        links.link(leftInner, rightInner)
        links.roles[rightInner] = .consumer
        if signature.constant(0) != nil { links.roles[leftInner] = .consumer }
        if !product.leftIsVector {
            let axis = PortAxis.input(0, axis: left.rank - 2)
            links.link(axis, .output(0, axis: product.batch.rank))
            if signature.constant(0) != nil { links.roles[axis] = .producer }
        }
        if !product.rightIsVector {
            let axis = PortAxis.input(1, axis: right.rank - 1)
            links.link(axis, .output(0, axis: output.rank - 1))
            links.roles[axis] = .producer
        }
        links.linkBroadcast(input: 0, shape: product.leftBatch, output: product.batch)
        links.linkBroadcast(input: 1, shape: product.rightBatch, output: product.batch)
        return links
    }
}
