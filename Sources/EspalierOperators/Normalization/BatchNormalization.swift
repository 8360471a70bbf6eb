import EspalierGraphs
import EspalierTensors

/// Centres and scales each channel, then scales and shifts it again (Ioffe and Szegedy 2015):
/// y = scale (x - mean) / sqrt(variance + epsilon) + shift.
///
/// In inference, and in training with frozen normalisation, mean and variance are the stored ones, inputs 3 and 4. In
/// training they are the batch's, over samples and positions, and the stored ones move towards them:
/// new = momentum * old + (1 - momentum) * batch. The variance is the population's, divided by the number of
/// elements, in the output *and* in the running update: that is ONNX's formula. (PyTorch's update divides by the number
/// less one.)
///
/// A node that is itself in training mode (`training_mode`, or the additional outputs of older operator sets)
/// has what moved as outputs instead; it runs by the reference, and has no gradient.
package struct BatchNormalization: Operator {
    package static let schemas = [OperatorSchema("BatchNormalization", since: 7)]

    let epsilon: Float
    let momentum: Float
    /// Whether the node itself asks for the batch's statistics.
    let usesBatchStatistics: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        epsilon = try attributes.float("epsilon", default: 1e-5)
        momentum = try attributes.float("momentum", default: 0.9)
        if attributes.opsetVersion >= 14 {
            usesBatchStatistics = try attributes.bool("training_mode", default: false)
        } else {
            usesBatchStatistics = attributes.node.outputs.dropFirst().contains { $0 != nil }
        }
        // Removed in operator set 9: statistics for each position.
        guard try attributes.bool("spatial", default: true) else {
            throw .unsupported("batch normalisation with statistics for each position")
        }
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else { throw .input(0, problem: "batch norm of \(input.dtype)") }
        guard input.shape.rank >= 1 else { throw .input(0, problem: "\(input.shape) has no channels") }
        let channels = Shape([Self.withChannels(input.shape)[1]])
        for port in 1...4 where try inputs.required(port).shape != channels {
            throw .input(port, problem: "is not of shape \(channels), the input's channels")
        }
        var outputs = [ValueFacts(dtype: input.dtype, shape: input.shape)]
        guard usesBatchStatistics else {
            guard inputs.outputCount == 1 else {
                throw .unsupported("statistics as outputs of batch normalisation in inference mode")
            }
            return outputs
        }
        guard inputs.outputCount <= 5 else { throw .shapes("\(inputs.outputCount) outputs of batch norm") }
        // The running mean and variance and, in old operator sets, the batch's.
        for port in 1..<max(1, inputs.outputCount) {
            let dtype = try inputs.required(port % 2 == 1 ? 3 : 4).dtype
            outputs.append(ValueFacts(dtype: dtype, shape: channels))
        }
        return outputs
    }

    /// `shape` with the channels on axis 1: elements along a single axis are samples of one channel.
    static func withChannels(_ shape: Shape) -> Shape { shape.rank == 1 ? [shape[0], 1] : shape }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let (input, scale, shift) = (try call.real(0), try call.real(1), try call.real(2))
        let (oldMean, oldVariance) = (try call.real(3), try call.real(4))
        var (mean, variance) = (oldMean, oldVariance)
        let channels = scale.elements.count
        let shape = Self.withChannels(input.shape)
        let positions = shape.count(2..<shape.rank)
        // By channel, where its elements lie.
        let members = (0..<channels).map { channel in
            (0..<shape[0]).flatMap { sample -> Range<Int> in
                let start = (sample * channels + channel) * positions
                return start..<(start + positions)
            }
        }
        if usesBatchStatistics {
            for channel in 0..<channels {
                let elements = members[channel].map { input.elements[$0] }
                let count = Real(elements.count)
                let centre = elements.reduce(0, +) / count
                mean.elements[channel] = centre
                variance.elements[channel] =
                    elements.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / count
            }
        }
        var output = input
        for channel in 0..<channels {
            let deviation = (variance.elements[channel] + Real(epsilon)).squareRoot()
            for position in members[channel] {
                let normalized = (input.elements[position] - mean.elements[channel]) / deviation
                output.elements[position] = normalized * scale.elements[channel] + shift.elements[channel]
            }
        }
        func running(_ old: NDArray<Real>, _ batch: NDArray<Real>) -> ReferenceValue<Real> {
            let share = Real(momentum)
            return .real(
                NDArray(
                    shape: old.shape,
                    elements: zip(old.elements, batch.elements).map { share * $0 + (1 - share) * $1 }))
        }
        let all = [
            .real(output), running(oldMean, mean), running(oldVariance, variance), .real(mean),
            .real(variance),
        ]
        return Array(all.prefix(call.outputs.count))
    }
}

// MARK: - Axes

extension BatchNormalization: AxisLinking {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let channels = PortAxis.output(0, axis: 1)
        let rank = signature.inputShape(0).rank
        for axis in 0..<rank {
            if usesBatchStatistics, axis != 1 {
                links.frozen.append((.input(0, axis: axis), "statistics are taken over it"))
            } else {
                links.link(.input(0, axis: axis), .output(0, axis: axis))
            }
        }
        // The one channel of a single axis stays.
        guard rank > 1 else { return links }
        for port in 1...4 {
            links.link(.input(port, axis: 0), channels)
            links.roles[.input(port, axis: 0)] = port == 1 ? .scale : .affine
        }
        for port in signature.outputs.indices.dropFirst() { links.link(.output(port, axis: 0), channels) }
        return links
    }
}

// MARK: - Statistics

extension BatchNormalization: RunningStatistics {
    package var statisticsPorts: [Int] { usesBatchStatistics ? [] : [3, 4] }

    package var forgettingEdits: NodeEdits {
        var edits = NodeEdits()
        edits.attributes["momentum"] = .float(0)
        return edits
    }
}

// MARK: - Fusion

extension BatchNormalization: ChannelAffine {
    package func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])? {
        guard !usesBatchStatistics, signature.inputShape(0).rank > 1 else { return nil }
        var parameters: [[Double]] = []
        for port in 1...4 {
            guard let constant = signature.constant(port) else { return nil }
            parameters.append(constant.scalars(as: Double.self))
        }
        let scale = zip(parameters[0], parameters[3]).map { $0 / ($1 + Double(epsilon)).squareRoot() }
        let shift = parameters[1].indices.map { parameters[1][$0] - parameters[2][$0] * scale[$0] }
        return (scale, shift)
    }
}

// MARK: - Bounds

extension BatchNormalization: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard port == 0, scale == nil else {
            throw .unsupported("statistics that depend on the network's input")
        }
        guard !usesBatchStatistics else {
            throw .unsupported("normalisation with the batch's own statistics")
        }
        guard signature.inputShape(0).rank > 1 else { throw .unsupported("normalisation of a single axis") }
        guard let affine = channelAffine(signature) else { throw .inputNotConstant(1) }
        return .scaling(affine.scale)
    }
}

extension BatchNormalization: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying == [0], !usesBatchStatistics else {
            throw .unsupported("statistics that depend on the network's input")
        }
        guard signature.inputShape(0).rank > 1 else { throw .unsupported("normalisation of a single axis") }
        // Scale, addend, mean and variance.
        return .affine(
            AffinePropagation(
                .position, factors: [1], addends: [2: 1, 3: -1], roundings: 8,
                gradientRoundings: 4))
    }
}
