import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// Sums of squared per-sample gradients against a loop over the samples, each a batch of one.
    func checkPerSampleSquares() throws(OperatorError) -> [String] {
        guard let operation = operation as? any PerSampleSquares, isSinglePrecision, source.isBatched else {
            return []
        }
        let parameters = differentiableInputs.filter(isParameter)
        let activations = inputs.indices.filter { inputs[$0] != nil && !isConstant($0) }
        guard !parameters.isEmpty,
            let batch = activations.compactMap({ inputs[$0]?.shape.extents.first }).first
        else { return [] }

        let phase = Phase.training(frozenNormalization: true)
        let projection = projection(signature.outputs.indices.filter { isReal(output: $0) })
        var expected = parameters.map { [Double](repeating: 0, count: inputs[$0]?.count ?? 0) }
        for sample in 0..<batch {
            let single = try PreparedCase(self, sample: sample)
            let slice = projection.map { $0.map { $0.sample(sample) } }
            let found = try single.gradients(
                operation, in: phase, threads: 1, projection: slice, wanted: parameters)
            for (position, port) in parameters.enumerated() {
                let gradient = found.gradients[port]?.scalars(as: Double.self) ?? []
                for (index, value) in gradient.enumerated() { expected[position][index] += value * value }
            }
        }

        var problems: [String] = []
        for threads in 1...2 {
            for wanted in wantedSubsets(parameters) {
                let found = try runBackward(
                    phase: phase, threads: threads, projection: projection, wanted: wanted
                ) { context throws(OperatorError) in try operation.lowerPerSampleSquares(context) }
                let place = "per-sample squares, \(threads) threads, wanted \(wanted)"
                problems += found.problems.map { "\(place): \($0)" }
                for (position, port) in parameters.enumerated() where wanted.contains(port) {
                    var tolerance = source.tolerances.backward
                    tolerance.absolute *= max(1, expected[position].max() ?? 0)
                    let actual = found.gradients[port]?.scalars(as: Double.self) ?? []
                    if let problem = difference(
                        actual, from: expected[position], shape: [expected[position].count], tolerance)
                    {
                        problems.append("\(place): input \(port): \(problem)")
                    }
                }
            }
        }
        return problems
    }

    /// The case with one sample as its batch: axis 0 of the activations.
    private init(_ whole: PreparedCase, sample: Int) throws(OperatorError) {
        source = whole.source
        operation = whole.operation
        inputs = whole.inputs.enumerated().map { port, tensor in
            whole.isConstant(port) ? tensor : tensor?.sample(sample)
        }
        signature = try Self.infer(
            operation, inputs, isConstant: whole.inputs.indices.map(whole.isConstant),
            outputCount: whole.source.outputCount)
    }
}

extension Tensor {
    /// The slice at one index of axis 0, with that axis kept.
    func sample(_ index: Int) -> Tensor {
        ReferenceValue<Double>(self).cut(port: .input(0), [.input(0, axis: 0): [index]]).tensor(as: dtype)
    }
}
