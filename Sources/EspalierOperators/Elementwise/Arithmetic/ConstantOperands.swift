import EspalierTensors

extension Signature {
    /// Input 1 where it is one known number and input 0 has the output's shape.
    var scalarOperand: Float? {
        guard let constant = constant(1), constant.dtype == .float32, constant.count == 1,
            inputShape(0) == outputShape()
        else { return nil }
        return constant.scalars(as: Float.self).first
    }

    /// Input 1 as a number per channel (axis 1 of the output), where it is known, varies along no other axis, and
    /// input 0 has the output's shape.
    var channelOperand: [Double]? {
        let output = outputShape()
        guard let constant = constant(1), constant.dtype.isFloatingPoint, output.rank >= 2,
            inputShape(0) == output
        else { return nil }
        let missing = output.rank - constant.shape.rank
        for (axis, extent) in constant.shape.extents.enumerated() where extent != 1 && axis + missing != 1 {
            return nil
        }
        let elements = constant.scalars(as: Double.self)
        return elements.count == output[1]
            ? elements : elements.first.map { [Double](repeating: $0, count: output[1]) }
    }
}
