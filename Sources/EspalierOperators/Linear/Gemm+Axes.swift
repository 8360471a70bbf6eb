import EspalierTensors

extension Gemm: AxisLinking {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        // Integers have nothing to prune.
        guard signature.outputs[0].dtype.isFloatingPoint else { return links }
        let rows = PortAxis.input(0, axis: transposesLeft ? 1 : 0)
        let leftInner = PortAxis.input(0, axis: transposesLeft ? 0 : 1)
        let rightInner = PortAxis.input(1, axis: transposesRight ? 1 : 0)
        let columns = PortAxis.input(1, axis: transposesRight ? 0 : 1)
        links.link(rows, .output(0, axis: 0))
        links.link(leftInner, rightInner)
        links.contractions.append((leftInner, rightInner))
        links.link(columns, .output(0, axis: 1))
        links.roles[rightInner] = .consumer
        links.roles[columns] = .producer
        if signature.constant(0) != nil {
            links.roles[leftInner] = .consumer
            links.roles[rows] = .producer
        }
        if signature.hasInput(2) {
            let addend = signature.inputShape(2)
            links.linkBroadcast(input: 2, shape: addend, output: signature.outputShape())
            for axis in 0..<addend.rank { links.roles[.input(2, axis: axis)] = .affine }
        }
        return links
    }
}
