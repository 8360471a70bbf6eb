import EspalierTensors

/// How distances between values are measured.
package enum VectorNorm: String, Hashable, Sendable, CaseIterable {
    /// The root of the sum of squares.
    case euclidean = "l2"
    /// The largest magnitude.
    case maximum = "l-infinity"

    /// The length of a vector whose parts, laid end to end, have the given lengths.
    package func joined(_ lengths: some Sequence<Double>) -> Double {
        switch self {
        case .euclidean: lengths.reduce(0) { $0 + $1 * $1 }.squareRoot()
        case .maximum: lengths.reduce(0, max)
        }
    }

    /// By how much a vector gets longer if each of its elements stands there `count` times.
    package func stretch(copies count: Int) -> Double {
        self == .euclidean ? Double(count).squareRoot() : 1
    }
}

/// The capability of saying how far the outputs can move when inputs do: what the Lipschitz constant of a network is
/// composed of, besides the norms of its linear maps (``AffineMapping``).
package protocol LipschitzBounding: Operator {
    /// The bound for every output by itself.
    ///
    /// - Parameter varying: the inputs that depend on the network's; all others are constants.
    /// - Throws: ``OperatorError/unsupported(_:)`` where there is no constant that holds everywhere, with the reason.
    func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule
}

/// How the movements of inputs, each times a constant, bound that of an output.
package struct LipschitzRule: Hashable, Sendable {
    package enum Combination: Hashable, Sendable {
        /// By their sum: what the triangle inequality gives, as for residual connections.
        case sum
        /// As lengths of parts laid end to end: concatenation, and the larger of two values.
        case parts
    }

    package let combination: Combination
    /// By input.
    package let constants: [Int: Double]

    package init(_ combination: Combination, _ constants: [Int: Double]) {
        self.combination = combination
        self.constants = constants
    }

    /// The output's constant for those of the inputs, by port.
    package func constant(of inputs: [Int: Double], in norm: VectorNorm) -> Double {
        let moved = constants.keys.sorted().map { (constants[$0] ?? 0) * (inputs[$0] ?? 0) }
        return combination == .sum ? moved.reduce(0, +) : norm.joined(moved)
    }
}

extension LipschitzRule {
    /// The rule of a function that is elementwise and nowhere steeper than `scale` in any of its inputs, which
    /// broadcast to each other.
    static func broadcast(
        _ combination: Combination, varying: Set<Int>, in norm: VectorNorm, _ signature: Signature,
        scale: Double = 1
    ) -> LipschitzRule {
        let constants = varying.map { port in
            let copies = signature.outputShape().count / max(signature.inputShape(port).count, 1)
            return (port, scale * norm.stretch(copies: copies))
        }
        return LipschitzRule(combination, Dictionary(uniqueKeysWithValues: constants))
    }
}

extension Set<Int> {
    /// - Throws: ``OperatorError/unsupported(_:)`` if an input other than `port` varies.
    func requireOnly(_ port: Int) throws(OperatorError) {
        guard let other = filter({ $0 != port }).min() else { return }
        throw .unsupported("input \(other), which depends on the network's input")
    }
}

/// An elementwise function of input 0 that is nowhere steeper than ``largestSlope``.
package protocol BoundedSlope: LipschitzBounding {
    /// The smallest number that no slope's magnitude exceeds, rounded up if at all.
    var largestSlope: Double { get }
}

extension BoundedSlope {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        return LipschitzRule(.sum, [0: largestSlope])
    }
}

extension Operator {
    /// The rule of an operator of one varying input, 0, each of whose outputs holds some of its elements and
    /// constants: the most often that one of them stands in one output decides.
    ///
    /// Found by moving the elements' numbers, so that no kind of movement has to be understood twice.
    func movementRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try varying.requireOnly(0)
        let shape = signature.inputShape(0)
        var inputs = signature.inputs.map { $0?.constant.map { ReferenceValue<Double>($0) } }
        inputs[0] = .real(NDArray(shape: shape, elements: (0..<shape.count).map(Double.init)))
        var most = 0
        for case .real(let output) in try reference(
            ReferenceCall<Double>(inputs: inputs, outputs: signature.outputs))
        {
            var copies = [Int](repeating: 0, count: shape.count)
            for element in output.elements {
                guard let place = Int(exactly: element), copies.indices.contains(place) else { continue }
                copies[place] += 1
                most = max(most, copies[place])
            }
        }
        return LipschitzRule(.sum, [0: norm.stretch(copies: most)])
    }
}
