import EspalierTensors

/// The elements limited to a range, either end of which may be left open. If the ends are crossed, all become the upper
/// one.
///
/// Up to operator set 10 the ends are attributes `min` and `max`, from 11 on optional scalar inputs 1 and 2.
package struct Clip: AxisLinking, Differentiable, Lowering, Epilogue {
    package static let schemas = [OperatorSchema("Clip", since: 6)]

    private let attributeRange: (low: Float, high: Float)?

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        guard attributes.opsetVersion < 11 else {
            attributeRange = nil
            return
        }
        let low = try attributes.float("min", default: -.greatestFiniteMagnitude)
        let high = try attributes.float("max", default: .greatestFiniteMagnitude)
        attributeRange = (low, high)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype != .bool else {
            throw .input(0, problem: "is bool, which has no order")
        }
        for port in 1...2 {
            guard let bound = inputs[port] else { continue }
            guard bound.shape.count == 1, bound.dtype == input.dtype else {
                throw .input(
                    port,
                    problem: "is a \(bound.dtype.rawValue) of shape \(bound.shape), not a scalar "
                        + "\(input.dtype.rawValue)")
            }
        }
        return [ValueFacts(dtype: input.dtype, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        if case .integer(let input) = try call.value(0) {
            let low = call.hasInput(1) ? try call.integer(1).elements.first ?? .min : .min
            let high = call.hasInput(2) ? try call.integer(2).elements.first ?? .max : .max
            return [.integer(input.map { min(max($0, low), high) })]
        }
        if case .unsigned(let input) = try call.value(0) {
            let low = call.hasInput(1) ? try call.unsigned(1).elements.first ?? .min : .min
            let high = call.hasInput(2) ? try call.unsigned(2).elements.first ?? .max : .max
            return [.unsigned(input.map { min(max($0, low), high) })]
        }
        var low = attributeRange.map { Real($0.low) } ?? -.infinity
        var high = attributeRange.map { Real($0.high) } ?? .infinity
        if call.hasInput(1) { low = try call.real(1).elements.first ?? low }
        if call.hasInput(2) { high = try call.real(2).elements.first ?? high }
        return [.real(try call.real(0).map { Self.value($0, low, high) })]
    }

    /// Not-a-number stays what it is.
    private static func value<Real: ReferenceReal>(_ x: Real, _ low: Real, _ high: Real) -> Real {
        let raised = x < low ? low : x
        return raised > high ? high : raised
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkElementwise(signature.inputShape(0).rank)
        return links
    }

    /// The ends where they are known in advance.
    private func knownRange(_ signature: Signature) -> (low: Float, high: Float)? {
        if let attributeRange { return attributeRange }
        var range = (low: -Float.infinity, high: Float.infinity)
        for port in 1...2 where signature.hasInput(port) {
            guard let bound = signature.constant(port)?.scalars(as: Float.self).first else { return nil }
            if port == 1 { range.low = bound } else { range.high = bound }
        }
        return range
    }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        guard signature.inputs[0]?.dtype == .float32, let range = knownRange(signature),
            range.low <= range.high
        else { return nil }
        return .function(.clip, alpha: range.low, beta: range.high)
    }
}

// MARK: - Kernels

extension Clip {
    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try context.signature.requireSinglePrecision()
        let shape = context.signature.inputShape(0)
        let staysZero = knownRange(context.signature).map { Self.value(0, $0.low, $0.high) == 0 } ?? false
        let layout = context.inputLayout(0).forElements(of: shape, paddingStaysZero: staysZero)
        var layouts = context.signature.inputs.map { _ in Layout.plain }
        layouts[0] = layout
        let signature = context.signature
        return ElementwiseKernel(inputs: layouts, outputs: [layout], shape: shape, inPlaceInput: 0) {
            memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            let (low, high) = self.range(signature, memory)
            for index in range { output[index] = Self.value(input[index], low, high) }
        }
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        port == 0 && signature.inputs[0]?.dtype.isFloatingPoint == true
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        try signature.requireSinglePrecision()
        let shape = signature.inputShape(0)
        let layout = context.forward.outputLayouts[0]
        let gradientPort = context.gradientPort()
        var layouts = [Layout](repeating: .plain, count: context.backwardInputCount)
        layouts[0] = layout
        layouts[gradientPort] = layout
        return ElementwiseKernel(
            inputs: layouts, outputs: [layout], shape: shape, unreadInputs: [context.outputPort(0)],
            inPlaceInput: gradientPort
        ) { memory, range in
            guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
                let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self),
                let result = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            let (low, high) = self.range(signature, memory)
            for index in range {
                // Read first and chosen twice: for a conditional read the compiler would branch.
                let (x, slope) = (input[index], gradient[index])
                let belowHigh = x < high ? slope : 0
                result[index] = x > low ? belowHigh : 0
            }
        }
    }

    /// The ends as they are when it runs.
    private func range(_ signature: Signature, _ memory: borrowing KernelMemory) -> (Float, Float) {
        var range = attributeRange ?? (-.infinity, .infinity)
        if signature.hasInput(1), let low = memory.input(1) {
            range.low = low.assumingMemoryBound(to: Float.self)[0]
        }
        if signature.hasInput(2), let high = memory.input(2) {
            range.high = high.assumingMemoryBound(to: Float.self)[0]
        }
        return range
    }
}

extension Clip: BoundedSlope {
    package var largestSlope: Double { 1 }
}
