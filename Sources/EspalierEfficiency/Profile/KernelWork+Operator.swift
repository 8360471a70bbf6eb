package import EspalierKernels
package import EspalierOperators
import EspalierTensors

extension KernelWork {
    /// The product by weights that a node computes.
    ///
    /// Every weight is used once for each sample and position; each output is one of a row.
    ///
    /// - Parameters:
    ///   - port: the input with the weights.
    ///   - nonzeros: of them.
    ///   - activationByteCount: of the values that are read and written.
    /// - Returns: nil for what is no such product.
    package init?(
        _ operation: any Operator, _ signature: Signature, weight port: Int, nonzeros: Int,
        activationByteCount: Int
    ) {
        let macs = operation.multiplyAccumulates(signature, nonzeros: signature.inputs.map { _ in nil })
        guard macs > 0, let shape = signature.inputs[port]?.shape, shape.count > 0,
            macs.isMultiple(of: shape.count)
        else { return nil }
        let (samples, outputs) = (macs / shape.count, signature.outputShape().count)
        guard outputs > 0, outputs.isMultiple(of: samples) else { return nil }
        let rows = outputs / samples
        guard shape.count.isMultiple(of: rows) else { return nil }
        let isConvolution = operation is Conv
        let groups = isConvolution ? signature.inputShape(0)[1] / max(shape[1], 1) : 1
        self.init(
            rows: rows, columns: shape.count / rows, groups: max(groups, 1), samples: samples,
            nonzeros: nonzeros,
            activationByteCount: activationByteCount,
            taps: isConvolution ? shape.count(2..<shape.rank) : nil)
    }
}

extension Signature {
    /// The input with the weights of a product: the largest constant with two axes or more; nil if there is none.
    package var weightPort: Int? {
        inputs.indices.filter { port in
            guard let constant = constant(port) else { return false }
            return constant.shape.rank >= 2 && constant.dtype.isFloatingPoint
        }.max { (constant($0)?.count ?? 0) < (constant($1)?.count ?? 0) }
    }
}
