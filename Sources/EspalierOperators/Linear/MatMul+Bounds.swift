import EspalierTensors

extension MatMul: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        let product = try MatrixProduct(left: signature.inputShape(0), right: signature.inputShape(1))
        let factorBatch = port == 0 ? product.rightBatch : product.leftBatch
        guard factorBatch.count == 1 else { throw .unsupported("a constant factor of several matrices") }
        let elements = try signature.requireConstant(1 - port)
        if port == 1 {
            guard scale == nil else { throw .unsupported("a scale of columns after a product from the left") }
            return .matrix(MatrixMap(rows: product.rows, columns: product.inner, elements: elements))
        }
        // Only of a matrix are the columns the channels.
        guard scale == nil || product.output.rank == 2 else {
            throw .unsupported("a scale of the rows of a product from the right")
        }
        let matrix = MatrixMap(rows: product.inner, columns: product.columns, elements: elements)
        return .matrix(matrix.transposed.scalingRows(by: scale))
    }
}

extension MatMul: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying == [0] else {
            throw .unsupported("a product but of the network's values with constants to their right")
        }
        let product = try MatrixProduct(left: signature.inputShape(0), right: signature.inputShape(1))
        return .affine(
            AffinePropagation(
                .sample, factors: [1], roundings: product.inner + 2,
                gradientRoundings: product.columns + 2))
    }
}
