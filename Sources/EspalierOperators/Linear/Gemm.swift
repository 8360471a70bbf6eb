import EspalierTensors

/// The general matrix product alpha A B + beta C, with A and B optionally transposed and C broadcast to the result.
package struct Gemm: Operator {
    package static let schemas = [OperatorSchema("Gemm", since: 7)]

    let alpha: Float
    let beta: Float
    /// Whether A is stored K x M, and B N x K.
    let transposesLeft: Bool
    let transposesRight: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        alpha = try attributes.float("alpha", default: 1)
        beta = try attributes.float("beta", default: 1)
        transposesLeft = try attributes.bool("transA", default: false)
        transposesRight = try attributes.bool("transB", default: false)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let dtype = try inputs.multipliedType(0, 1)
        if !dtype.isFloatingPoint, integerFactors == nil {
            throw .unsupported("integers with alpha \(alpha) and beta \(beta)")
        }
        let output = try product(inputs.required(0).shape, inputs.required(1).shape).output
        if let addend = inputs[2] {
            guard addend.dtype == dtype else {
                throw .input(2, problem: "is \(addend.dtype.rawValue) where input 0 is \(dtype.rawValue)")
            }
            guard addend.shape.broadcast(with: output) == output else {
                throw .input(2, problem: "\(addend.shape) does not broadcast to \(output)")
            }
        }
        return [ValueFacts(dtype: dtype, shape: output)]
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
        let product = try product(call.value(0).shape, call.value(1).shape)
        if try call.value(0).isInteger {
            guard let (alpha, beta) = integerFactors else { throw .unsupported("integers with fractions") }
            var elements = product.multiply(
                try call.integer(0).elements, transposed: transposesLeft,
                try call.integer(1).elements, transposed: transposesRight
            ) { $0 &+= $1 &* $2 }
            let addend = call.hasInput(2) ? try call.integer(2) : NDArray(repeating: 0, shape: [])
            let positions = addend.shape.broadcastPositions(in: product.output)
            for (index, position) in positions.enumerated() {
                elements[index] = alpha &* elements[index] &+ beta &* addend.elements[position]
            }
            return [.integer(NDArray(shape: product.output, elements: elements))]
        }
        var elements = product.multiply(
            try call.real(0).elements, transposed: transposesLeft,
            try call.real(1).elements, transposed: transposesRight
        ) { $0 += $1 * $2 }
        for index in elements.indices { elements[index] *= Real(alpha) }
        // Where beta is 0, C is not read: an infinity in it must not become not-a-number.
        if call.hasInput(2), beta != 0 {
            let addend = try call.real(2)
            let positions = addend.shape.broadcastPositions(in: product.output)
            for (index, position) in positions.enumerated() {
                elements[index] += Real(beta) * addend.elements[position]
            }
        }
        return [.real(NDArray(shape: product.output, elements: elements))]
    }

    /// The extents for matrices as they are stored.
    func product(_ left: Shape, _ right: Shape) throws(OperatorError) -> MatrixProduct {
        guard left.rank == 2, right.rank == 2 else {
            throw .shapes("cannot multiply \(left) by \(right): both must be matrices")
        }
        return try MatrixProduct(
            left: transposesLeft ? [left[1], left[0]] : left,
            right: transposesRight ? [right[1], right[0]] : right)
    }

    /// The extents, which inference has already found to fit.
    func product(_ signature: Signature) -> MatrixProduct? {
        try? product(signature.inputShape(0), signature.inputShape(1))
    }

    /// Alpha and beta where both are integers.
    private var integerFactors: (Int64, Int64)? {
        guard let alpha = Int64(exactly: alpha), let beta = Int64(exactly: beta) else { return nil }
        return (alpha, beta)
    }
}
