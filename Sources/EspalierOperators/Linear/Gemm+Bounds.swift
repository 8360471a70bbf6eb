import EspalierTensors

extension Gemm: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        let product = try product(signature.inputShape(0), signature.inputShape(1))
        guard port < 2 else {
            guard scale == nil, signature.inputShape(2) == product.output else {
                throw .unsupported("an addend that is repeated and depends on the network's input")
            }
            return .scaling([Double(beta)])
        }
        let factor = Double(alpha)
        let elements = try signature.requireConstant(1 - port).map { $0 * factor }
        guard port == 0 else {
            guard scale == nil else { throw .unsupported("a scale of columns after a product from the left") }
            let matrix = MatrixMap(
                rows: transposesLeft ? product.inner : product.rows,
                columns: transposesLeft ? product.rows : product.inner, elements: elements)
            return .matrix(transposesLeft ? matrix.transposed : matrix)
        }
        let matrix = MatrixMap(
            rows: transposesRight ? product.columns : product.inner,
            columns: transposesRight ? product.inner : product.columns, elements: elements)
        return .matrix((transposesRight ? matrix : matrix.transposed).scalingRows(by: scale))
    }
}

extension Gemm: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying == [0], !transposesLeft, alpha > 0, beta >= 0 else {
            throw .unsupported(
                "a product but of the network's values, times a positive number, with constants")
        }
        let product = try product(signature.inputShape(0), signature.inputShape(1))
        return .affine(
            AffinePropagation(
                .sample, factors: [1], addends: [2: 1], roundings: product.inner + 4,
                gradientRoundings: product.columns + 2))
    }
}
