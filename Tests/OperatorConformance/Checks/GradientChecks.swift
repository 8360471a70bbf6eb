import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The backward kernel in both training phases, on one thread and two, for each wanted input and for all,
    /// against central differences of a random projection of the outputs.
    func checkGradients() throws(OperatorError) -> [String] {
        guard let operation = operation as? any Differentiable, isSinglePrecision else { return [] }
        var problems: [String] = []
        for phase in Phase.all.dropFirst() {
            for present in gradientSubsets() {
                let projection = projection(present)
                guard let expected = try expectedGradients(in: phase, projection) else { continue }
                for threads in 1...2 {
                    for wanted in wantedSubsets(differentiableInputs) {
                        let found = try gradients(
                            operation, in: phase, threads: threads, projection: projection, wanted: wanted)
                        let place =
                            "\(phase), \(threads) threads, gradients of outputs \(present), wanted \(wanted)"
                        problems += found.problems.map { "\(place): \($0)" }
                        problems += wanted.compactMap { port in
                            expected[port].flatMap { compare(found.gradients[port], $0) }
                                .map { "\(place): input \(port): \($0)" }
                        }
                    }
                }
            }
        }
        return problems
    }

    /// All at once, and each alone.
    func wantedSubsets(_ ports: [Int]) -> [[Int]] {
        ports.count < 2 ? [ports].filter { !$0.isEmpty } : [ports] + ports.map { [$0] }
    }

    /// Which outputs have a gradient: all that are real, and where there are several, each alone.
    private func gradientSubsets() -> [[Int]] {
        let real = signature.outputs.indices.filter { isReal(output: $0) }
        return wantedSubsets(real)
    }

    /// Random gradients for the given outputs, nil for the others.
    func projection(_ present: [Int]) -> [Tensor?] {
        let random = RandomSource.named(source.name).split("projection")
        return signature.outputs.enumerated().map { port, facts in
            guard present.contains(port) else { return nil }
            var stream = random.split(port)
            return .random(facts.shape, seed: stream.next())
        }
    }

    /// What one run of the backward kernel gives, after one of the forward kernel.
    func gradients(
        _ operation: any Differentiable, in phase: Phase, threads: Int, projection: [Tensor?], wanted: [Int]
    ) throws(OperatorError) -> (gradients: [Tensor?], problems: [String]) {
        try runBackward(phase: phase, threads: threads, projection: projection, wanted: wanted) {
            context throws(OperatorError) in try operation.lowerBackward(context)
        }
    }

    /// Runs forward, then the kernel that `lower` makes, whose unread inputs get no memory.
    func runBackward(
        phase: Phase, threads: Int, projection: [Tensor?], wanted: [Int],
        lower: (BackwardContext) throws(OperatorError) -> any Kernel
    ) throws(OperatorError) -> (gradients: [Tensor?], problems: [String]) {
        let context = LoweringContext(
            signature: signature, inputLayouts: signature.inputs.map { _ in .plain }, phase: phase,
            threads: threads)
        let forward =
            try (operation as? any Lowering)?.lowerIfSupported(context)
            ?? ReferenceKernel(operation, signature: signature)
        let runner = KernelRunner(forward)
        let outputs = try runner.run(inputs, outputs: signature.outputs, repeated: false)
        let backward = try lower(
            BackwardContext(
                signature: signature, forward: forward,
                outputGradientLayouts: signature.outputs.map { _ in .plain },
                wanted: inputs.indices.map { wanted.contains($0) }, phase: phase, threads: threads))
        let backwardRunner = KernelRunner(backward, workspace: runner.workspace)
        let unread = backward.unreadInputs
        let given = (inputs + outputs + projection).enumerated().map { unread.contains($0) ? nil : $1 }
        let results = signature.inputs.enumerated().map { wanted.contains($0) ? $1 : nil }
        let gradients = try backwardRunner.run(given, outputs: results)
        var problems = runner.problems + backwardRunner.problems
        if let port = backward.inPlaceInput, given[port] != nil, results.first != nil {
            let inPlace = try backwardRunner.run(given, outputs: results, inPlace: true)
            for (port, (one, other)) in zip(gradients, inPlace).enumerated() {
                guard let one, let other, let problem = difference(other, from: one, .exact) else { continue }
                problems.append("in place, the gradient of input \(port) differs: \(problem)")
            }
        }
        return (gradients, problems)
    }

    /// The elements of a gradient that central differences are taken for: all, or of large inputs a sample.
    private func sampledPositions(_ port: Int) -> [Int] {
        let count = inputs[port]?.count ?? 0
        guard count > Self.sampleLimit else { return Array(0..<count) }
        var random = RandomSource.named(source.name).split("sample")
        return Array((0..<count).shuffled(using: &random).prefix(Self.sampleLimit)).sorted()
    }

    private static var sampleLimit: Int { 96 }

    struct ExpectedGradient {
        let positions: [Int]
        let values: [Double]
    }

    /// Central differences, by input port; nil where training is random.
    private func expectedGradients(
        in phase: Phase, _ projection: [Tensor?]
    ) throws(OperatorError) -> [Int: ExpectedGradient]? {
        let values = inputs.map { $0.map(ReferenceValue<Double>.init) }
        guard try expected(in: phase, values) != nil else { return nil }
        let weights = projection.map { $0?.scalars(as: Double.self) }
        var result: [Int: ExpectedGradient] = [:]
        for port in differentiableInputs {
            guard let point = values[port]?.realElements, let shape = values[port]?.shape else { continue }
            let positions = sampledPositions(port)
            let slopes = try centralDifferences(
                of: { elements throws(OperatorError) in
                    var moved = values
                    moved[port] = .real(NDArray(shape: shape, elements: elements))
                    let outputs = try expected(in: phase, moved) ?? []
                    return zip(outputs, weights).reduce(0) { sum, pair in
                        guard let elements = pair.0.realElements, let weights = pair.1 else { return sum }
                        return zip(elements, weights).reduce(sum) { $0 + $1.0 * $1.1 }
                    }
                }, at: point, positions: positions)
            result[port] = ExpectedGradient(positions: positions, values: slopes)
        }
        return result
    }

    private func compare(_ actual: Tensor?, _ expected: ExpectedGradient) -> String? {
        guard let actual else { return "no gradient" }
        let scalars = actual.scalars(as: Double.self)
        var tolerance = source.tolerances.backward
        tolerance.absolute *= max(1, expected.values.map(abs).max() ?? 0)
        return difference(
            expected.positions.map { scalars[$0] }, from: expected.values,
            shape: [expected.positions.count], tolerance)
    }
}
