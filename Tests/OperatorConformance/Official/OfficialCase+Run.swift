import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport

extension OfficialCase {
    /// The cases of a source in which only operators of the catalog occur, and only tensors of numbers.
    static func covered(from source: Source) -> [OfficialCase] {
        all(from: source).filter { official in
            // A model that cannot be read is kept: running it tells why.
            guard let graph = try? official.graph() else { return true }
            return isNumeric(graph) && isCovered(graph)
        }
    }

    /// Runs the optimised network; returns what is wrong with its outputs, in one line each.
    func problems(_ tolerance: Tolerance) -> [String] {
        do {
            let graph = try graph()
            let sets = try dataSets(for: graph)
            guard !sets.isEmpty else { return ["there is nothing to compare with"] }
            return try sets.flatMap { try Self.problems(of: $0, in: graph, tolerance) }
        } catch {
            return ["\(error)"]
        }
    }

    private static func problems(
        of set: OfficialDataSet, in graph: Graph, _ tolerance: Tolerance
    ) throws -> [String] {
        let session = try InferenceSession(graph: try fixingOperands(of: graph, to: set.inputs))
        let inputs = set.inputs.map { (graph.name(of: $0), $1) }
        let outputs = try session.run(Dictionary(inputs) { first, _ in first })
        return set.outputs.sorted { $0.key < $1.key }.compactMap { id, expected in
            let name = graph.name(of: id)
            guard let output = outputs[name] else { return "\(name): missing" }
            return difference(output, from: expected, tolerance).map { "\(name): \($0)" }
        }
    }

    /// The graph with its vectors of integers as constants, if an operator needs to know one of them in advance.
    ///
    /// The cases feed everything as an input, also axes and target shapes, which in networks are constants.
    private static func fixingOperands(
        of graph: Graph, to inputs: [ValueID: Tensor]
    ) throws -> Graph {
        let resolved = try? ResolvedGraph(graph, inputShapes: inputs.mapValues(\.shape))
        let isNeeded = resolved?.opaque.values.contains { reason in
            if case .inputNotConstant = reason { true } else { false }
        }
        guard isNeeded == true else { return graph }
        var patch = Patch(for: graph)
        for (id, tensor) in inputs.sorted(by: { $0.key < $1.key }) {
            let isOperand = tensor.shape.rank <= 1 && !tensor.dtype.isFloatingPoint && tensor.dtype != .bool
            guard isOperand else { continue }
            let constant = patch.newConstant(graph.name(of: id), tensor)
            patch.append(.replaceUses(of: id, with: constant))
        }
        return try graph.applying(patch)
    }
}
