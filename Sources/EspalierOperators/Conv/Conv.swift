import EspalierTensors

/// Convolution (cross-correlation, as all of deep learning means it) over any number of spatial axes, in groups.
///
/// Inputs: x of shape N x C x positions, weight of shape M x C/group x kernel, optionally a bias of M elements.
package struct Conv: Operator {
    package static let schemas = [OperatorSchema("Conv")]

    let attributes: WindowAttributes
    let groups: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        self.attributes = try WindowAttributes(attributes, pools: false)
        groups = try attributes.int("group", default: 1)
        guard groups >= 1 else { throw .attribute("group", problem: "\(groups) is not positive") }
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else {
            throw .input(0, problem: "is \(input.dtype.rawValue), but floating-point numbers are needed")
        }
        let dtype = try inputs.multipliedType(0, 1)
        let geometry = try geometry(input: input.shape, weight: inputs.required(1).shape)
        if let bias = inputs[2] {
            guard bias.dtype == dtype else {
                throw .input(2, problem: "is \(bias.dtype.rawValue) where input 0 is \(dtype.rawValue)")
            }
            guard bias.shape == [geometry.outputChannels] else {
                throw .input(
                    2,
                    problem:
                        "has shape \(bias.shape), not one element for \(geometry.outputChannels) channels")
            }
        }
        return [ValueFacts(dtype: dtype, shape: geometry.output)]
    }

    /// Windows count as if they saw no padding, as is usual in the field.
    package func multiplyAccumulates(_ signature: Signature, nonzeros: [Int?]) -> Int {
        guard let geometry = geometry(signature) else { return 0 }
        let weights = signature.inputShape(1).count
        let uses = saturatingProduct(geometry.batch, geometry.outputPositions)
        return saturatingProduct(nonzeros.dropFirst().first.flatMap { $0 } ?? weights, uses)
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let (input, weight) = (try call.real(0), try call.real(1))
        let bias = call.hasInput(2) ? try call.real(2).elements : nil
        let geometry = try geometry(input: input.shape, weight: weight.shape)
        let taps = WindowTaps(geometry.windows)
        let (inputPositions, kernelPositions) = (geometry.inputPositions, geometry.kernelPositions)
        var result: [Real] = []
        result.reserveCapacity(geometry.output.count)
        for sample in 0..<geometry.batch {
            for channel in 0..<geometry.outputChannels {
                let group = channel / geometry.groupOutputs
                let firstInput = sample * geometry.inputChannels + group * geometry.groupInputs
                let firstWeight = channel * geometry.groupInputs
                for position in 0..<geometry.outputPositions {
                    var sum = bias?[channel] ?? 0
                    for inputChannel in 0..<geometry.groupInputs {
                        let inputStart = (firstInput + inputChannel) * inputPositions
                        let weightStart = (firstWeight + inputChannel) * kernelPositions
                        for tap in taps.starts[position]..<taps.starts[position + 1] {
                            sum +=
                                input.elements[inputStart + taps.inputs[tap]]
                                * weight.elements[weightStart + taps.kernels[tap]]
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return [.real(NDArray(shape: geometry.output, elements: result))]
    }

    func geometry(input: Shape, weight: Shape) throws(OperatorError) -> ConvGeometry {
        try ConvGeometry(input: input, weight: weight, groups: groups, attributes: attributes)
    }

    /// The extents, which inference has already found to fit.
    func geometry(_ signature: Signature) -> ConvGeometry? {
        try? geometry(input: signature.inputShape(0), weight: signature.inputShape(1))
    }
}
