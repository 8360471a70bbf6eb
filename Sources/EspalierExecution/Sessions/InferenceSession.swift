public import EspalierGraphs
import EspalierOperators
public import EspalierTensors

/// Runs a network on inputs of any batch size.
///
/// A plan is made for each combination of input shapes when it is first seen, and kept. Calls are serialised;
/// make one session per thread to run side by side.
///
/// ```swift
/// let session = try InferenceSession(graph: graph)
/// let outputs = try session.run(["x": images])
/// ```
public final class InferenceSession: Sendable {
    public struct Options: Sendable {
        /// Threads to compute on; 1 computes on the caller's thread.
        public var threads = 1
        /// Names of the values to return; nil for the graph's outputs.
        public var outputs: [String]?
        /// Whether constants may be folded and nodes fused; off only to compare.
        public var optimizes = true
        /// Whether zeros among the weights may be left out where that is faster; off only to compare.
        public var usesSparsity = true

        public init() {}
    }

    private let core: SessionCore
    private let runner: ComputeThread

    /// - Throws: ``ExecutionError`` if an output does not exist. Nodes that cannot run are reported by ``run(_:)``,
    ///   when the shapes are known.
    public init(graph: Graph, options: Options = Options()) throws(ExecutionError) {
        core = try SessionCore(graph: graph, options: options)
        runner = try ComputeThread(threads: options.threads)
    }

    /// The names of the graph's inputs.
    public var inputNames: [String] { core.graph.inputs.map(core.graph.name(of:)) }

    /// Computes the outputs.
    ///
    /// - Throws: ``ExecutionError`` if an input is missing or does not fit, or a node cannot be executed.
    public func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        try runner.sync { () throws(ExecutionError) in try core.run(inputs) }
    }
}

/// The part of a session that lives on its lane.
private final class SessionCore: @unchecked Sendable {
    let graph: Graph
    private let options: InferenceSession.Options
    private let outputs: [ValueID]
    // Guarded by the session's compute thread, on which alone this is used.
    private var plans: [[ValueID: Shape]: InferencePlan] = [:]

    init(graph: Graph, options: InferenceSession.Options) throws(ExecutionError) {
        self.graph = graph
        self.options = options
        guard let names = options.outputs else {
            outputs = graph.outputs
            return
        }
        var outputs: [ValueID] = []
        for name in names {
            guard let value = graph.value(named: name) else {
                throw .unresolved("the model has no value '\(name)'")
            }
            outputs.append(value.id)
        }
        self.outputs = outputs
    }

    func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        var shapes: [ValueID: Shape] = [:]
        var tensors: [ValueID: Tensor] = [:]
        for (name, tensor) in inputs {
            guard let id = graph.inputs.first(where: { graph.name(of: $0) == name }) else {
                throw .unknownInput(name: name, known: graph.inputs.map(graph.name(of:)))
            }
            try check(tensor, against: graph.values[id]?.type, name: name)
            shapes[id] = tensor.shape
            tensors[id] = tensor
        }
        for id in graph.inputs where shapes[id] == nil { throw .missingInput(name: graph.name(of: id)) }
        let plan = try plan(for: shapes)
        try plan.run(tensors)
        var results: [String: Tensor] = [:]
        for (index, output) in outputs.enumerated() { results[graph.name(of: output)] = plan.output(index) }
        return results
    }

    private func check(_ tensor: Tensor, against type: ValueType?, name: String) throws(ExecutionError) {
        guard let declared = type?.dimensions else { return }
        guard declared.count == tensor.shape.rank else {
            throw .inputMismatch(name: name, problem: "rank \(tensor.shape.rank), expected \(declared.count)")
        }
        for (axis, dimension) in declared.enumerated() {
            if case .fixed(let extent) = dimension, extent != tensor.shape[axis] {
                throw .inputMismatch(
                    name: name, problem: "shape \(tensor.shape), expected \(extent) on axis \(axis)")
            }
        }
    }

    private func plan(for shapes: [ValueID: Shape]) throws(ExecutionError) -> InferencePlan {
        if let plan = plans[shapes] { return plan }
        // Few shapes recur in practice; a caller whose every call differs must not fill memory with plans.
        if plans.count >= 8 { plans.removeAll() }
        let plan = try InferencePlan(
            graph, inputShapes: shapes, outputs: outputs, threads: options.threads,
            optimizes: options.optimizes, usesSparsity: options.usesSparsity)
        plans[shapes] = plan
        return plan
    }
}
