import EspalierTensors

extension MatMul: AxisLinking {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        // Integers have nothing to prune.
        guard let product = product(signature), signature.outputs[0].dtype.isFloatingPoint else {
            return links
        }
        let (left, right) = (signature.inputShape(0), signature.inputShape(1))
        let output = signature.outputShape()
        let leftInner = PortAxis.input(0, axis: left.rank - 1)
        let rightInner = PortAxis.input(1, axis: product.rightIsVector ? 0 : right.rank - 2)
        links.link(leftInner, rightInner)
        links.contractions.append((leftInner, rightInner))
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
