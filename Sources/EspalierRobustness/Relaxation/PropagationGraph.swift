import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// A network as bounds go through it: its values that depend on the input and that the output depends on, numbered in the order in
/// which they are computed, 0 the input, the last the output.
struct PropagationGraph {
    struct Step {
        let node: Node
        let rule: BoundPropagation
        /// The ports that vary, and the values there.
        let inputs: [(port: Int, value: Int)]
    }

    let resolved: ResolvedGraph
    let values: [PropagatedValue]
    let ids: [ValueID]
    /// What makes each value; nil for the input.
    let steps: [Step?]
    /// For each value the values that are made of it.
    let readers: [[Int]]

    var output: Int { values.count - 1 }

    /// Whether a value has channels of rows and columns; else it counts as one plane of one row.
    func hasPlanes(_ value: ValueID?) -> Bool { value.flatMap { resolved.facts[$0] }?.shape.rank == 4 }

    /// - Parameters:
    ///   - resolved: for one sample, with constants folded.
    ///   - output: the value to bound.
    /// - Throws: ``RobustnessError/unbounded(node:operatorName:reason:)``.
    init(_ resolved: ResolvedGraph, output: ValueID) throws(RobustnessError) {
        self.resolved = resolved
        let graph = resolved.graph
        let dependence = Dependence(resolved)
        let needed = graph.nodes(behind: [output])
        var places: [ValueID: Int] = [:]
        var values: [PropagatedValue] = []
        var ids: [ValueID] = []
        var steps: [Step?] = []
        func append(_ id: ValueID, _ step: Step?) {
            places[id] = values.count
            values.append(PropagatedValue(resolved.facts[id]?.shape ?? []))
            ids.append(id)
            steps.append(step)
        }
        guard let input = graph.inputs.first, graph.inputs.count == 1 else {
            throw .unsupportedNetwork(
                "bounds are for networks of one input, and this one has \(graph.inputs.count)")
        }
        guard resolved.facts[input]?.shape.extents.first == 1 else {
            throw .unsupportedNetwork("bounds are for networks whose input has samples on axis 0")
        }
        append(input, nil)
        for node in graph.nodes where needed.contains(node.id) {
            guard !dependence.varying.isDisjoint(with: node.dependencies) else { continue }
            func refusal(_ reason: String) -> RobustnessError {
                .unbounded(node: node.label, operatorName: node.operatorName, reason: reason)
            }
            if let reason = resolved.opaque[node.id] { throw refusal("\(reason)") }
            guard let operation = resolved.operators[node.id] as? any BoundPropagating,
                let signature = resolved.signatures[node.id], let result = node.outputs.first ?? nil
            else { throw refusal("no linear bounds of this operator are known") }
            guard signature.outputs.first?.dtype == .float32 else {
                throw refusal("its output is not of float32 numbers")
            }
            let ports = dependence.ports(node)
            let constants = node.inputs.indices.filter { node.inputs[$0] != nil && !ports.contains($0) }
            for id in constants.compactMap({ node.inputs[$0] }) where resolved.facts[id]?.constant == nil {
                throw refusal("what it reads as '\(graph.name(of: id))' is not known")
            }
            var inputs: [(port: Int, value: Int)] = []
            for port in ports.sorted() {
                guard let id = node.inputs[port], let place = places[id] else {
                    throw refusal("it reads what is not its node's first output")
                }
                inputs.append((port, place))
            }
            do throws(OperatorError) {
                let rule = try operation.boundPropagation(varying: ports, signature)
                if case .maximum(let windows) = rule {
                    guard windows.axes.count == 2 else {
                        throw .unsupported(
                            "a maximum along \(windows.axes.count) axes, where 2 are understood")
                    }
                    guard !windows.axes.contains(where: \.hasEmptyWindows) else {
                        throw .unsupported("a maximum of padding alone")
                    }
                }
                if case .sum = rule, constants.count > 1 {
                    // Large ones that make up for one another leave an error that nothing tells of.
                    throw .unsupported("a sum of several constants")
                }
                guard resolved.facts[result]?.shape.extents.first == 1 else {
                    throw .unsupported("an output in which samples are not apart on axis 0")
                }
                append(result, Step(node: node, rule: rule, inputs: inputs))
            } catch {
                throw refusal("\(error)")
            }
        }
        guard ids.last == output else {
            throw .unsupportedNetwork("'\(graph.name(of: output))' does not depend on the network's input")
        }
        self.values = values
        self.ids = ids
        self.steps = steps
        var readers = values.map { _ in [Int]() }
        for (value, step) in steps.enumerated() {
            for input in step?.inputs ?? [] { readers[input.value].append(value) }
        }
        self.readers = readers
    }

    /// Values that lines are laid around, which depend on how far these can move: what a nonlinear step reads and no nonlinear step
    /// made.
    var bent: [Int] {
        values.indices.filter { value in
            guard let step = steps[value], !step.isBent else { return false }
            return readers[value].contains { steps[$0]?.isBent ?? false }
        }
    }
}

extension WindowAxis {
    /// Windows with gaps can lie around an input that is no larger than a gap.
    fileprivate var hasEmptyWindows: Bool { (0..<output).contains { taps(at: $0).isEmpty } }
}

extension PropagationGraph.Step {
    var isBent: Bool {
        switch rule {
        case .affine, .sum: false
        case .slopes, .maximum: true
        }
    }
}

extension PropagatedValue {
    init(_ shape: Shape) {
        if shape.rank == 4 {
            self.init(channels: shape[1], height: shape[2], width: shape[3])
        } else {
            self.init(channels: 1, height: 1, width: shape.count)
        }
    }
}
