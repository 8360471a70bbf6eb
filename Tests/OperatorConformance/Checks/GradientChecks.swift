import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The backward kernel against central differences of a random projection of the outputs: in both training
    /// phases, in all layouts offered, on one thread and on two, for each wanted input and for all.
    func checkGradients() throws(OperatorError) -> [String] {
        guard let operation = operation as? any Differentiable, isSinglePrecision else { return [] }
        var problems: [String] = []
        for phase in Phase.all.dropFirst() {
            for present in gradientSubsets() {
                let projection = projection(present)
                guard let expected = try expectedGradients(in: phase, projection) else { continue }
                for way in try waysToDifferentiate() {
                    let found = try gradients(
                        operation, in: phase, threads: way.threads, layouts: way.layouts,
                        projection: projection, wanted: way.wanted)
                    let wrong = way.wanted.compactMap { port in
                        expected[port].flatMap { compare(found.gradients[port], $0) }
                            .map { "input \(port): \($0)" }
                    }
                    problems += (found.problems + wrong).map { problem in
                        "\(phase), \(way.name), gradients of outputs \(present), wanted \(way.wanted): \(problem)"
                    }
                }
            }
        }
        return problems
    }

    private struct Way {
        let name: String
        let layouts: [Layout]
        let threads: Int
        let wanted: [Int]
    }

    /// All inputs' gradients in all layouts, and on two threads; each alone in plain layouts.
    private func waysToDifferentiate() throws(OperatorError) -> [Way] {
        let subsets = wantedSubsets(differentiableInputs)
        guard let all = subsets.first, let plain = try offeredLayouts().first else { return [] }
        var ways = try offeredLayouts().map {
            Way(name: "\($0.name) inputs, one thread", layouts: $0.layouts, threads: 1, wanted: all)
        }
        ways.append(Way(name: "plain inputs, two threads", layouts: plain.layouts, threads: 2, wanted: all))
        for wanted in subsets.dropFirst() {
            ways.append(
                Way(name: "plain inputs, one thread", layouts: plain.layouts, threads: 1, wanted: wanted))
        }
        return ways
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
        _ operation: any Differentiable, in phase: Phase, threads: Int, layouts: [Layout]? = nil,
        projection: [Tensor?], wanted: [Int]
    ) throws(OperatorError) -> (gradients: [Tensor?], problems: [String]) {
        try runBackward(
            phase: phase, threads: threads, layouts: layouts, projection: projection, wanted: wanted
        ) { context throws(OperatorError) in try operation.lowerBackward(context) }
    }

    /// Runs forward, then the kernel that `lower` makes, whose unread inputs get no memory, on a lane. The outputs'
    /// gradients are offered in the layouts of the outputs.
    func runBackward(
        phase: Phase, threads: Int, layouts: [Layout]? = nil, projection: [Tensor?], wanted: [Int],
        lower: (BackwardContext) throws(OperatorError) -> any Kernel
    ) throws(OperatorError) -> (gradients: [Tensor?], problems: [String]) {
        try onLane(threads: threads) { () throws(OperatorError) in
            try runBackwardHere(
                phase: phase, threads: threads, layouts: layouts ?? signature.inputs.map { _ in .plain },
                projection: projection, wanted: wanted, lower: lower)
        }
    }

    private func runBackwardHere(
        phase: Phase, threads: Int, layouts: [Layout], projection: [Tensor?], wanted: [Int],
        lower: (BackwardContext) throws(OperatorError) -> any Kernel
    ) throws(OperatorError) -> (gradients: [Tensor?], problems: [String]) {
        let context = LoweringContext(
            signature: signature, inputLayouts: layouts, phase: phase, threads: threads)
        let forward =
            try (operation as? any Lowering)?.lowerIfSupported(context)
            ?? ReferenceKernel(operation, signature: signature)
        let runner = KernelRunner(forward)
        let outputs = try runner.run(inputs, outputs: signature.outputs, repeated: false)
        let backward = try lower(
            BackwardContext(
                signature: signature, forward: forward,
                outputGradientLayouts: forward.outputLayouts,
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
