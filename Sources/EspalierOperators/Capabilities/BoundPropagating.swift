package import EspalierGraphs
import EspalierTensors

/// The capability of carrying linear bounds of the network's later values back to earlier ones (CROWN: Zhang, Weng, Chen, Hsieh &
/// Daniel 2018), and intervals forward.
package protocol BoundPropagating: Operator {
    /// What output 0 is of the inputs that depend on the network's.
    ///
    /// - Parameter varying: those inputs; all others are constants.
    /// - Throws: ``OperatorError/unsupported(_:)`` if it is nothing that can be bounded so, with the reason.
    func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation
}

package enum BoundPropagation: Sendable {
    /// Affine in all varying inputs together, by the node's own kernels.
    case affine(AffinePropagation)
    /// The sum of the inputs, each times 1 or -1, and of constants, element by element; shapes may differ if the elements are as many.
    case sum([Int: Float])
    /// The input where it is not negative, and `belowZero`, from 0 to 1, times it where it is.
    case slopes(belowZero: Float)
    /// The largest that each window of a channel sees.
    case maximum(Windows)
}

/// How a node is affine.
package struct AffinePropagation: Sendable {
    /// Which elements of the inputs an output depends on.
    package enum Reach: Sendable {
        /// Any of its sample.
        case sample
        /// Those at its own position, wherever that is.
        case position
        /// Those that its window sees, wherever that is. With the attributes, which replace the node's, nothing is padded.
        case windows(Windows, unpadded: [String: Attribute])
    }

    package let reach: Reach
    /// Constant inputs that inputs are multiplied by: with their magnitudes the node is the map of magnitudes.
    package let factors: Set<Int>
    /// Constant inputs that are added (1) or subtracted (-1): with zeros in their place the node is linear.
    package let addends: [Int: Float]
    /// The most roundings that follow each other on the way to an element of the output, whatever the order of sums.
    package let roundings: Int
    /// The same on the way to an element of an input's gradient.
    package let gradientRoundings: Int

    package init(
        _ reach: Reach, factors: Set<Int> = [], addends: [Int: Float] = [:], roundings: Int,
        gradientRoundings: Int
    ) {
        self.reach = reach
        self.factors = factors
        self.addends = addends
        self.roundings = roundings
        self.gradientRoundings = gradientRoundings
    }
}

extension AffinePropagation.Reach {
    /// Windows whose padding counts as zeros.
    static func windows(_ windows: Windows) -> Self {
        .windows(
            windows,
            unpadded: [
                "auto_pad": .text("NOTSET"), "ceil_mode": .int(0),
                "pads": .ints([Int64](repeating: 0, count: 2 * windows.axes.count)),
            ])
    }
}

extension Signature {
    /// A sum of inputs of which those that vary are not repeated.
    func signedSum(
        of varying: Set<Int>, signs: [Int: Float]
    ) throws(OperatorError) -> BoundPropagation {
        for port in varying where inputShape(port) != outputShape() {
            throw .unsupported("a sum that repeats what depends on the network's input")
        }
        return .sum(signs.filter { varying.contains($0.key) })
    }

    /// Input `port` times a constant that is not larger, or its reciprocal.
    func scaled(_ port: Int, by factor: Int) throws(OperatorError) -> BoundPropagation {
        guard constant(factor) != nil else { throw .inputNotConstant(factor) }
        guard inputShape(port) == outputShape() else {
            throw .unsupported("a product that repeats what depends on the network's input")
        }
        let isSameEverywhere = channelOperand != nil || scalarOperand != nil
        return .affine(
            AffinePropagation(
                isSameEverywhere ? .position : .sample, factors: [factor], roundings: 2,
                gradientRoundings: 2))
    }
}
