public import EspalierGraphs
package import EspalierKernels
import EspalierOperators
public import EspalierTensors

/// Runs a network on inputs of any batch size.
///
/// A plan is made for each combination of input shapes when it is first seen, and kept. Sessions may be used from any thread;
/// calls are serialised, so make one session per thread to run side by side. Sessions of one graph share its constants.
///
/// ```swift
/// let session = try InferenceSession(graph: graph)
/// let outputs = try session.run(["x": images])
/// ```
///
/// Where every microsecond counts, write and read in place, which copies nothing and allocates nothing:
///
/// ```swift
/// let best = try session.infer { pass in
///     try pass.withInput("x") { pixels in fill(&pixels) }
///     try pass.run()
///     return try pass.withOutput("logits") { logits in argmax(logits) }
/// }
/// ```
public final class InferenceSession: Sendable {
    public struct Options: Sendable {
        /// Threads to compute on, at least 1, which is the caller's own.
        public var threads = 1
        /// Names of the values to return; nil for the graph's outputs.
        public var outputs: [String]?
        /// Shapes by input name, for ``InferenceSession/infer(samples:_:)``: of inputs which the model leaves open in more axes than
        /// the first.
        public var inputShapes: [String: Shape] = [:]
        /// Whether constants may be folded and nodes fused; off only to compare.
        public var optimizes = true
        /// Whether zeros among the weights are left out.
        public var sparsity = Sparsity.whereFaster
        /// What weights, and perhaps inputs, of convolutions and matrix products are rounded to: narrower numbers than `float32`, the
        /// default, are faster where the processor or the memory allows it, and less exact. See ``Precision``.
        public var precision = Precision.float32
        /// What kernels cost on this machine; nil for what they do on typical ones.
        package var costs: KernelCostModel?

        public init() {}
    }

    /// What is made of zeros among the weights.
    public enum Sparsity: Sendable {
        /// They are left out in the layers where that should be faster.
        case whereFaster
        /// They are computed with like other numbers: to compare.
        case never
        /// They are left out wherever there is a kernel for it: to compare.
        case always
    }

    private let core: SessionCore
    private let runner: ComputeThread

    /// - Throws: ``ExecutionError`` if an output does not exist, or there are to be no threads. Nodes that cannot run are reported by ``run(_:)``,
    ///   when the shapes are known.
    public init(graph: Graph, options: Options = Options()) throws(ExecutionError) {
        guard options.threads > 0 else {
            throw .invalidOption("there must be a thread, not \(options.threads)")
        }
        core = try SessionCore(graph: graph, options: options)
        runner = try ComputeThread(threads: options.threads)
    }

    /// The names of the graph's inputs.
    public var inputNames: [String] { core.ports.inputNames }
    /// The names of the values that are computed.
    public var outputNames: [String] { core.ports.outputNames }
    /// Element type and shape of each input as the model declares them, by name; extents that it leaves open are symbolic or unknown.
    /// Nothing of an input of which it declares nothing.
    public var inputTypes: [String: ValueType] {
        core.ports.inputs.compactMapValues { core.graph.values[$0]?.type }
    }

    /// Computes the outputs.
    ///
    /// - Throws: ``ExecutionError`` if an input is missing or does not fit, or a node cannot be executed.
    public func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        try runner.sync { () throws(ExecutionError) in try core.run(inputs) }
    }

    /// Lends the session's memory to `body`, for it to write the inputs, to run, and to read the outputs in place.
    ///
    /// With more than one thread `body` runs on one of the session's. It must not use the session itself, which waits for it.
    ///
    /// - Parameter samples: the extent of axis 0 of inputs that leave it open; from the second call with one number on,
    ///   a session of one thread allocates nothing.
    /// - Throws: ``ExecutionError`` if the network can't be planned for that, and what `body` throws.
    public func infer<Result>(
        samples: Int = 1, _ body: (borrowing InferencePass) throws -> Result
    ) throws -> Result {
        try runner.sync { () throws(any Error) in
            let plan = try core.plan(samples: samples)
            return try body(InferencePass(plan: plan, ports: core.ports))
        }
    }
}

extension InferenceSession.Options {
    fileprivate var sparsityUse: SparsityUse {
        switch sparsity {
        case .whereFaster: .whereFaster(costs ?? .typical(threads: threads))
        case .never: .never
        case .always: .always
        }
    }
}

/// What a session's values are called.
final class SessionPorts: Sendable {
    let inputs: [String: ValueID]
    let inputNames: [String]
    /// Positions among the values that are computed.
    let outputs: [String: Int]
    let outputNames: [String]

    init(_ graph: Graph, outputs values: [ValueID]) {
        inputNames = graph.inputs.map(graph.name(of:))
        inputs = Dictionary(zip(inputNames, graph.inputs), uniquingKeysWith: { first, _ in first })
        outputNames = values.map(graph.name(of:))
        outputs = Dictionary(zip(outputNames, values.indices), uniquingKeysWith: { first, _ in first })
    }
}

/// The part of a session that lives on its lane.
private final class SessionCore: @unchecked Sendable {
    let graph: Graph
    let ports: SessionPorts
    private let options: InferenceSession.Options
    private let outputs: [ValueID]
    // Guarded by the session's compute thread, on which alone this is used.
    // Plans of all shapes, the one used last at the end, and of those the ones for numbers of samples.
    private var plans: [(shapes: [ValueID: Shape], plan: InferencePlan)] = []
    private var plansBySamples: [Int: InferencePlan] = [:]

    init(graph: Graph, options: InferenceSession.Options) throws(ExecutionError) {
        self.graph = graph
        self.options = options
        guard let names = options.outputs else {
            outputs = graph.outputs
            ports = SessionPorts(graph, outputs: outputs)
            return
        }
        var outputs: [ValueID] = []
        for name in names {
            guard let value = graph.value(named: name) else {
                throw .unknownOutput(name: name, known: graph.outputs.map(graph.name(of:)))
            }
            outputs.append(value.id)
        }
        self.outputs = outputs
        ports = SessionPorts(graph, outputs: outputs)
    }

    func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        var shapes: [ValueID: Shape] = [:]
        var tensors: [ValueID: Tensor] = [:]
        for (name, tensor) in inputs {
            guard let id = ports.inputs[name] else {
                throw .unknownInput(name: name, known: ports.inputNames)
            }
            try check(tensor.shape, against: graph.values[id]?.type, name: name)
            shapes[id] = tensor.shape
            tensors[id] = tensor
        }
        for id in graph.inputs where shapes[id] == nil { throw .missingInput(name: graph.name(of: id)) }
        let plan = try plan(for: shapes)
        try plan.run(tensors)
        var results: [String: Tensor] = [:]
        for (index, name) in ports.outputNames.enumerated() { results[name] = plan.output(index) }
        return results
    }

    private func check(_ shape: Shape, against type: ValueType?, name: String) throws(ExecutionError) {
        guard let declared = type?.dimensions else { return }
        guard declared.count == shape.rank else {
            throw .inputMismatch(name: name, problem: "rank \(shape.rank), expected \(declared.count)")
        }
        for (axis, dimension) in declared.enumerated() {
            if case .fixed(let extent) = dimension, extent != shape[axis] {
                throw .inputMismatch(
                    name: name, problem: "shape \(shape), expected \(extent) on axis \(axis)")
            }
        }
    }

    func plan(samples: Int) throws(ExecutionError) -> InferencePlan {
        if let plan = plansBySamples[samples] {
            if plans.last?.plan !== plan, let place = plans.firstIndex(where: { $0.plan === plan }) {
                plans.append(plans.remove(at: place))
            }
            return plan
        }
        guard samples > 0 else { throw .invalidOption("there must be a sample, not \(samples)") }
        var shapes: [ValueID: Shape] = [:]
        for id in graph.inputs { shapes[id] = try shape(of: id, samples: samples) }
        let plan = try plan(for: shapes)
        plansBySamples[samples] = plan
        return plan
    }

    /// The declared shape, `samples` on axis 0 if that is open, and what the options say on other axes.
    private func shape(of input: ValueID, samples: Int) throws(ExecutionError) -> Shape {
        let name = graph.name(of: input)
        let type = graph.values[input]?.type
        let given = options.inputShapes[name]
        if let given { try check(given, against: type, name: name) }
        guard let declared = type?.dimensions else {
            guard let given else {
                throw .unresolved("the shape of input '\(name)' is neither declared nor given")
            }
            return given
        }
        var extents: [Int] = []
        for (axis, dimension) in declared.enumerated() {
            if case .fixed(let extent) = dimension {
                extents.append(extent)
            } else if axis == 0 {
                extents.append(samples)
            } else if let given {
                extents.append(given[axis])
            } else {
                throw .unresolved("axis \(axis) of input '\(name)' is open, and its shape is not given")
            }
        }
        return Shape(extents)
    }

    // Few shapes recur in practice; a caller whose every call differs must not fill memory with plans.
    private static let planLimit = 8

    private func plan(for shapes: [ValueID: Shape]) throws(ExecutionError) -> InferencePlan {
        if let place = plans.lastIndex(where: { $0.shapes == shapes }) {
            plans.append(plans.remove(at: place))
            return plans[plans.count - 1].plan
        }
        if plans.count >= Self.planLimit {
            let oldest = plans.removeFirst().plan
            plansBySamples = plansBySamples.filter { $0.value !== oldest }
        }
        let plan = try InferencePlan(
            graph, inputShapes: shapes, outputs: outputs, threads: options.threads,
            optimizes: options.optimizes, sparsity: options.sparsityUse, precision: options.precision)
        plans.append((shapes, plan))
        return plan
    }
}
