import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The node's own fusible step computes what the node does.
    func checkEpilogueStep() throws(OperatorError) -> [String] {
        guard let step = (operation as? any Epilogue)?.epilogueStep(signature) else { return [] }
        let values = inputs.map { $0.map(ReferenceValue<Double>.init) }
        guard let first = values.first ?? nil, case .real(var array) = first else {
            return ["a step, but no real input 0"]
        }
        switch step {
        case .function: array = array.applying(step)
        case .add:
            guard values.count == 2, let second = values[1]?.realElements,
                second.count == array.elements.count
            else { return ["adds, but does not have two inputs of one shape"] }
            array.elements = zip(array.elements, second).map { $0 + $1 }
        case .addVector:
            guard values.count == 2, let second = values[1]?.realElements else {
                return ["adds, but does not have two inputs"]
            }
            let isSecond = array.elements.count >= second.count
            let (whole, vector) = isSecond ? (array.elements, second) : (second, array.elements)
            let shape = isSecond ? array.shape : signature.inputShape(1)
            guard let last = shape.extents.last, last == vector.count else {
                return ["adds \(vector.count) numbers along the last axis of \(shape)"]
            }
            array = NDArray(
                shape: shape, elements: whole.indices.map { whole[$0] + vector[$0 % vector.count] })
        }
        let expected = try reference(Double.self)
        return compare([Tensor(shape: array.shape, scalars: array.elements)], expected)
            .map { "step \(step): \($0)" }
    }

    /// Fused steps against the reference followed by them: each that the operator accepts, and the sum with
    /// another value before and after a function. Only inference fuses.
    func checkFusedKernels() throws(OperatorError) -> [String] {
        guard let operation = operation as? any EpilogueAccepting, isSinglePrecision,
            let plain = try expected(in: .inference), let first = plain.first
        else { return [] }
        var problems: [String] = []
        for steps in acceptedSteps(operation) {
            guard case .real(var array) = first else { continue }
            var inputs = inputs
            for step in steps {
                if step == .add {
                    let addend = Tensor.random(array.shape, seed: 3)
                    inputs.append(addend)
                    array.elements = zip(array.elements, addend.scalars(as: Double.self)).map { $0 + $1 }
                } else if step == .addVector {
                    let addend = Tensor.random(Shape(array.shape.extents.suffix(1)), seed: 4)
                    inputs.append(addend)
                    let vector = addend.scalars(as: Double.self)
                    array.elements = array.elements.enumerated().map { $1 + vector[$0 % vector.count] }
                } else {
                    array = array.applying(step)
                }
            }
            let threads = steps.count > 1 ? 2 : 1
            let context = LoweringContext(
                signature: signature, inputLayouts: inputs.map { _ in .plain }, phase: .inference,
                threads: threads, epilogues: steps)
            let found = try onLane(threads: threads) { () throws(OperatorError) -> [String] in
                guard let kernel = try operation.lowerIfSupported(context) else { return [] }
                let runner = KernelRunner(kernel)
                let actual = try runner.run(inputs, outputs: signature.outputs)
                return runner.problems + compare(actual, [.real(array)] + plain.dropFirst())
            }
            problems += found.map { "fused \(steps): \($0)" }
        }
        return problems
    }

    func acceptedSteps(_ operation: any EpilogueAccepting) -> [[EpilogueStep]] {
        let functions = ScalarFunction.allCases.map { function in
            let parameters = function.exampleParameters
            return EpilogueStep.function(function, alpha: parameters.alpha, beta: parameters.beta)
        }
        let single = (functions + [.add, .addVector]).filter { operation.accepts($0, signature: signature) }
        let relu = EpilogueStep.function(.relu, alpha: 0, beta: 0)
        guard single.contains(.add), operation.accepts(relu, signature: signature) else {
            return single.map { [$0] }
        }
        let sums: [[EpilogueStep]] = [[.add, relu], [relu, .add]]
        let vectors: [[EpilogueStep]] = [[.addVector, .add, relu], [.add, .addVector], [relu, .addVector]]
        return single.map { [$0] } + sums + (single.contains(.addVector) ? vectors : [])
    }

    /// A scale and a shift per channel, and constants that absorb one, against the reference.
    func checkChannelAffine() throws(OperatorError) -> [String] {
        let plain = try reference(Double.self)
        var problems: [String] = []
        if let (scale, shift) = (operation as? any ChannelAffine)?.channelAffine(signature) {
            guard case .real(let input)? = inputs[0].map(ReferenceValue<Double>.init) else {
                return ["channel affine, but input 0 is not real"]
            }
            problems += compareAffine(input, scale, shift, plain).map { "channel affine: \($0)" }
        }
        if let folding = operation as? any ChannelAffineFolding, case .real(let output) = plain[0] {
            let channels = output.shape.rank > 1 ? output.shape[1] : 0
            let scale = (0..<channels).map { 0.5 + Double($0) }
            let shift = (0..<channels).map { 1 - 0.25 * Double($0) }
            if let constants = folding.folding(scale: scale, shift: shift, signature: signature) {
                var folded = inputs
                for (port, tensor) in constants {
                    while folded.count <= port { folded.append(nil) }
                    folded[port] = tensor
                }
                let outputs = try operation.reference(
                    ReferenceCall<Double>(
                        inputs: folded.map { $0.map(ReferenceValue.init) }, outputs: signature.outputs))
                problems += compareAffine(output, scale, shift, outputs).map { "channel folding: \($0)" }
            }
        }
        return problems
    }

    private func compareAffine(
        _ input: NDArray<Double>, _ scale: [Double], _ shift: [Double], _ expected: [ReferenceValue<Double>]
    ) -> [String] {
        guard input.shape.rank > 1, scale.count == input.shape[1], shift.count == input.shape[1] else {
            return ["\(scale.count) scales and \(shift.count) shifts for \(input.shape)"]
        }
        let inner = input.shape.count(2..<input.shape.rank)
        var result = input
        for position in input.elements.indices {
            let channel = position / inner % input.shape[1]
            result.elements[position] = scale[channel] * input.elements[position] + shift[channel]
        }
        return compare([Tensor(shape: result.shape, scalars: result.elements)], expected)
    }
}

extension NDArray<Double> {
    func applying(_ step: EpilogueStep) -> NDArray<Double> {
        guard case .function(let function, let alpha, let beta) = step else { return self }
        return map { function.value($0, alpha: Double(alpha), beta: Double(beta)) }
    }
}

extension ScalarFunction {
    /// Parameters that networks use, and that tell alpha from beta.
    var exampleParameters: (alpha: Float, beta: Float) {
        switch self {
        case .relu: (0.125, 0)
        case .elu, .swish, .softPlus: (1, 0)
        case .hardSwish: (1 / 6, 0.5)
        case .hardSigmoid: (0.2, 0.5)
        case .clip: (-0.5, 0.75)
        case .linear: (2, -0.25)
        case .tanh, .logistic, .gelu, .geluTanh, .abs, .squareRoot, .exp, .log, .square, .mish: (0, 0)
        }
    }
}
