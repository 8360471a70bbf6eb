public import EspalierExecution
public import EspalierGraphs
public import EspalierTensors

/// How far apart two networks' outputs are on the same inputs.
///
/// ```swift
/// let comparison = try OutputComparison(dense, pruned, batches: [["x": images]])
/// print(comparison.relativeDifference)
/// ```
public struct OutputComparison: Sendable, Equatable {
    /// One output of both networks.
    public struct Output: Sendable, Equatable {
        /// Its name in the first network.
        public let name: String
        /// The largest absolute difference of any element; infinite where one is not a number and the other is.
        public internal(set) var maxAbsoluteDifference = 0.0
        /// The largest finite magnitude of any element in the first network.
        public internal(set) var range = 0.0

        /// The difference relative to the range: what tolerances are stated in.
        public var relativeDifference: Double {
            range > 0 ? maxAbsoluteDifference / range : maxAbsoluteDifference
        }
    }

    /// In the networks' order.
    public private(set) var outputs: [Output]
    /// The number of samples compared: the sum over the batches of the first input's extent on axis 0.
    public private(set) var samples = 0

    /// The largest of any output.
    public var maxAbsoluteDifference: Double { outputs.map(\.maxAbsoluteDifference).max() ?? 0 }
    /// The largest of any output.
    public var relativeDifference: Double { outputs.map(\.relativeDifference).max() ?? 0 }
    /// The largest magnitude of any element of the first network's outputs.
    public var outputRange: Double { outputs.map(\.range).max() ?? 0 }

    /// Runs both networks on each of `batches` and compares outputs by position. The second network's inputs may be
    /// called otherwise than the first's: then they correspond by position too.
    ///
    /// - Parameter progress: told how many batches are done; may throw to stop.
    /// - Throws: ``ComparisonError``, and what `progress` throws.
    public init(
        _ first: Graph, _ second: Graph, batches: some Sequence<[String: Tensor]>, threads: Int = 1,
        progress: (Int) throws -> Void = { _ in }
    ) throws {
        guard first.outputs.count == second.outputs.count else {
            throw ComparisonError.interfaces(
                "the models have \(first.outputs.count) and \(second.outputs.count) outputs")
        }
        guard first.inputs.count == second.inputs.count else {
            throw ComparisonError.interfaces(
                "the models have \(first.inputs.count) and \(second.inputs.count) inputs")
        }
        outputs = first.outputs.map { Output(name: first.name(of: $0)) }
        let secondNames = Self.inputNames(of: first, in: second)
        let left = try Self.locating(.first) { () throws(ExecutionError) in try Self.session(first, threads) }
        let right = try Self.locating(.second) { () throws(ExecutionError) in
            try Self.session(second, threads)
        }
        for (index, inputs) in batches.enumerated() {
            let expected = try Self.locating(.first) { () throws(ExecutionError) in try left.run(inputs) }
            // The first network knows all of the names now, so that no two become one.
            let renamed = Dictionary(
                uniqueKeysWithValues: inputs.map { (secondNames[$0.key] ?? $0.key, $0.value) })
            let actual = try Self.locating(.second) { () throws(ExecutionError) in try right.run(renamed) }
            for position in outputs.indices {
                guard let one = expected[outputs[position].name],
                    let other = actual[second.name(of: second.outputs[position])]
                else { continue }
                try outputs[position].add(one, other)
            }
            samples += first.inputs.first.flatMap { inputs[first.name(of: $0)]?.shape.extents.first } ?? 1
            try progress(index + 1)
        }
    }

    /// Runs both networks once; as ``init(_:_:batches:threads:progress:)``.
    public init(
        _ first: Graph, _ second: Graph, inputs: [String: Tensor], threads: Int = 1
    ) throws {
        try self.init(first, second, batches: [inputs], threads: threads)
    }

    private static func session(
        _ graph: Graph, _ threads: Int
    ) throws(ExecutionError) -> InferenceSession {
        var options = InferenceSession.Options()
        options.threads = threads
        return try InferenceSession(graph: graph, options: options)
    }

    private static func inputNames(of first: Graph, in second: Graph) -> [String: String] {
        let (ours, theirs) = (first.inputs.map(first.name(of:)), second.inputs.map(second.name(of:)))
        if Set(ours) == Set(theirs) { return [:] }
        return Dictionary(zip(ours, theirs), uniquingKeysWith: { first, _ in first })
    }

    private static func locating<Result>(
        _ side: ComparisonError.Side, _ body: () throws(ExecutionError) -> Result
    ) throws(ComparisonError) -> Result {
        do throws(ExecutionError) { return try body() } catch { throw .execution(side, error) }
    }
}

extension OutputComparison.Output {
    fileprivate mutating func add(_ expected: Tensor, _ actual: Tensor) throws(ComparisonError) {
        guard expected.shape == actual.shape else {
            throw .interfaces(
                "output '\(name)' has shape \(expected.shape) in one model and \(actual.shape) in the other")
        }
        var difference = TensorDifference()
        difference.compare(expected, actual)
        range = max(range, difference.range)
        maxAbsoluteDifference = max(maxAbsoluteDifference, difference.maxAbsolute)
    }
}

/// Why two networks could not be compared.
public enum ComparisonError: Error, Sendable {
    /// Which of the two.
    public enum Side: Sendable { case first, second }

    /// One of them cannot run.
    case execution(Side, ExecutionError)
    /// Their inputs or outputs do not correspond.
    case interfaces(String)
}

extension ComparisonError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .execution(.first, let error): "the first model: \(error)"
        case .execution(.second, let error): "the second model: \(error)"
        case .interfaces(let problem): problem
        }
    }
}
