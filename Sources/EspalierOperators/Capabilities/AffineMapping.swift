import EspalierTensors

/// The capability of being affine in each of some inputs while all others are constants: convolutions, products with
/// weights, normalisation with stored statistics, means.
package protocol AffineMapping: Operator {
    /// The linear part of output 0 as a function of input `port`.
    ///
    /// - Parameter scale: multiplies every channel (index on axis 1) of the output, as a normalisation that is folded
    ///   into the map does; nil for none.
    /// - Throws: ``OperatorError/inputNotConstant(_:)`` if a factor is not known; ``OperatorError/unsupported(_:)`` if the
    ///   output is not affine in that input, or such a scale is not a part of the map.
    func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap
}

extension Signature {
    /// The elements of an input that does not depend on the network's.
    func requireConstant(_ port: Int) throws(OperatorError) -> [Double] {
        guard let constant = constant(port) else { throw .inputNotConstant(port) }
        return constant.scalars(as: Double.self)
    }

    /// A map that multiplies every element of input `port` by its element of constant input `factor`, which `factorMap`
    /// turns into numbers to multiply by.
    func scaling(
        of port: Int, by factor: Int, scalingChannels scale: [Double]?,
        _ factorMap: (Double) -> Double = { $0 }
    ) throws(OperatorError) -> LinearMap {
        guard scale == nil, inputShape(port) == outputShape() else {
            throw .unsupported("a product that repeats what depends on the network's input")
        }
        return .scaling(try requireConstant(factor).map(factorMap))
    }
}
