import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
package import EspalierPruning
package import EspalierTensors

/// What one inference of a network takes, by node: measured as it is, and predicted from that for what may become of it.
///
/// The cost model knows how the time of a product changes with its width and its zeros, measurement what it is: a node's predicted
/// time is its measured one, times the predicted ratio. Steps that only move values change with the bytes.
package struct LatencyProfile: Sendable {
    /// Of one node as it was measured.
    private struct Entry {
        var seconds: Double
        /// The input with its weights, and how many of them are not zero; nil if it is no product of weights.
        let weight: (port: Int, density: Double)?
        /// Inputs that are no constants.
        let activations: [Int]
        let signature: Signature
        /// Whether there is a kernel that leaves out zeros.
        let canBeSparse: Bool

        init(_ signature: Signature, _ operation: (any Operator)?) {
            seconds = 0
            self.signature = signature
            canBeSparse = operation.map { Self.hasSparseKernel($0, signature) } ?? false
            activations = signature.inputs.indices.filter {
                signature.inputs[$0].map { $0.constant == nil } ?? false
            }
            weight = signature.weightPort.flatMap { port in
                signature.constant(port).map {
                    (port, Double($0.nonzeroCount) / Double(max($0.count, 1)))
                }
            }
        }

        /// Asked with one weight that is zero, as where none is there is nothing to choose.
        private static func hasSparseKernel(_ operation: any Operator, _ signature: Signature) -> Bool {
            guard let lowering = operation as? any Lowering, let port = signature.weightPort,
                let weights = signature.constant(port), weights.dtype == .float32
            else { return false }
            var scalars = weights.scalars(as: Float.self)
            scalars[0] = 0
            var inputs = signature.inputs
            inputs[port] = ValueFacts(constant: Tensor(shape: weights.shape, scalars: scalars))
            let choice = lowering.layoutChoice(Signature(inputs: inputs, outputs: signature.outputs))
            if case .product = choice { return true }
            return false
        }

        /// Values read and written with other shapes.
        func byteCount(_ signature: Signature) -> Int {
            let read = activations.compactMap {
                signature.inputs.indices.contains($0) ? signature.inputs[$0] : nil
            }
            return (read + signature.outputs).reduce(0) { $0 + $1.shape.count * $1.dtype.byteCount }
        }
    }

    private let entries: [NodeID: Entry]
    private let costs: KernelCostModel
    /// Of all weights, between two runs of which the others are used.
    private let residentByteCount: Int
    /// One inference, all steps together.
    package let seconds: Double

    /// Measures `graph` with random inputs in the calling lane's time.
    ///
    /// - Parameters:
    ///   - inputs: of every graph input.
    ///   - threads: of the lane.
    ///   - costs: of this machine.
    ///   - duration: in seconds.
    ///   - check: called now and then; may throw to stop.
    /// - Throws: ``ExecutionError``, and what `check` throws.
    package init(
        _ graph: Graph, inputs: [ValueID: Tensor], threads: Int, costs: KernelCostModel, duration: Double = 1,
        check: () throws -> Void = {}
    ) throws {
        let shapes = inputs.mapValues(\.shape)
        let resolved = try ResolvedGraph(graph, inputShapes: shapes).foldingConstants()
        let plan = try InferencePlan(
            graph, inputShapes: shapes, outputs: graph.outputs, threads: threads,
            sparsity: .whereFaster(costs))
        try plan.run(inputs)
        let times = try StepTimer(seconds: duration).medians([plan], check: check)[0]
        let producers = graph.producers
        var entries: [NodeID: Entry] = [:]
        for (step, micros) in zip(plan.listing, times) {
            // What is fused into a node is its own time; a copy belongs to the node whose value is copied.
            let owner: NodeID? =
                switch step.subject {
                case .node(let head, _): head
                case .value(let value): producers[value]
                }
            guard let node = owner, let signature = resolved.signatures[node] else { continue }
            entries[node, default: Entry(signature, resolved.operators[node])].seconds += micros * 1e-6
        }
        self.entries = entries
        self.costs = costs
        residentByteCount = 4 * ModelSummary(resolved).totals.parameters
        seconds = entries.values.reduce(0) { $0 + $1.seconds }
    }

    /// The predicted latency in seconds, as a cost to set targets in.
    package var costFunction: CostFunction {
        CostFunction(id: "latency", name: "latency") { node, operation, signature, nonzeros in
            seconds(node, operation, signature, nonzeros)
        }
    }

    private func seconds(
        _ node: NodeID, _ operation: any Operator, _ signature: Signature, _ nonzeros: [Int?]
    ) -> Double {
        guard let entry = entries[node] else { return 0 }
        if let weight = entry.weight,
            let was = predicted(operation, entry.signature, entry, nonzeros: nil),
            let now = predicted(operation, signature, entry, nonzeros: nonzeros[weight.port]), was > 0
        {
            return entry.seconds * now / was
        }
        return entry.seconds * Double(entry.byteCount(signature))
            / Double(max(entry.byteCount(entry.signature), 1))
    }

    private func predicted(
        _ operation: any Operator, _ signature: Signature, _ entry: Entry, nonzeros: Int?
    ) -> Double? {
        guard let weight = entry.weight, let count = signature.inputs[weight.port]?.shape.count else {
            return nil
        }
        let work = KernelWork(
            operation, signature, weight: weight.port,
            nonzeros: nonzeros ?? Int((weight.density * Double(count)).rounded()),
            activationByteCount: entry.byteCount(signature))
        return work.flatMap { predicted($0, canBeSparse: entry.canBeSparse) }
    }

    /// By the sparse kernel where the planner would take it, else by the dense one.
    private func predicted(_ work: KernelWork, canBeSparse: Bool) -> Double? {
        func seconds(_ format: KernelFormat) -> Double? {
            costs.prediction(work, format: format, residentByteCount: residentByteCount)?.seconds
        }
        let dense = seconds(.dense)
        guard canBeSparse, work.nonzeros < work.rows * work.columns, let sparse = seconds(work.sparseFormat)
        else { return dense }
        guard let dense else { return sparse }
        return sparse * costs.caution < dense ? sparse : dense
    }
}
