import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Tells which channels of activations are zero once a mask has made all slices of parameters zero that belong to them.
///
/// They are behind a layer whose bias is masked with it, and behind most functions of zero, but one half behind a sigmoid.
/// Found by what nodes do: each is run on zeros for what is known to be zero, and on arbitrary numbers for what is not known.
struct MaskedZeros {
    private let resolved: ResolvedGraph
    /// What training may change: its present values mean nothing.
    private let parameters: Set<ValueID>
    /// The position of the node that makes a value.
    private var makers: [ValueID: Int] = [:]
    private var known: [ValueAxis: Bool] = [:]

    /// Values of more elements are not computed: what reads them counts as not zero.
    private static let elementLimit = 1 << 22
    /// What stands for numbers that are not known. That both give zero shows that any does, for what operators do.
    private static let arbitrary: [Double] = [0.75, -1.25]

    init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        parameters = Set(resolved.graph.parameters)
        for (position, node) in resolved.graph.nodes.enumerated() {
            for case let output? in node.outputs { makers[output] = position }
        }
    }

    /// Whether every index of an axis is zero where what it is linked to is masked; false where that is not known.
    mutating func isZero(_ axis: ValueAxis) -> Bool {
        // No recursion: how deep a network is its file decides.
        var waiting = [axis]
        while let next = waiting.last {
            guard known[next] == nil else {
                waiting.removeLast()
                continue
            }
            guard let origin = origin(of: next) else {
                known[next] = resolved.graph.constants[next.value]?.dtype.isFloatingPoint ?? false
                continue
            }
            let unknown = origin.sources.map(\.axis).filter { known[$0] == nil }
            if unknown.isEmpty { known[next] = isZero(origin) } else { waiting += unknown }
        }
        return known[axis] ?? false
    }

    // MARK: - Where channels come from

    /// A node, and the axes that it reads on which the channels of one axis of an output lie.
    private struct Origin {
        let node: Node
        let output: Int
        let operation: any AxisLinking
        let signature: Signature
        let contractions: [(first: PortAxis, second: PortAxis)]
        let sources: [(port: Int, axis: ValueAxis)]
    }

    /// nil for what no node makes that says something of its axes.
    private func origin(of axis: ValueAxis) -> Origin? {
        guard let position = makers[axis.value] else { return nil }
        let node = resolved.graph.nodes[position]
        guard let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id],
            let output = node.outputs.firstIndex(where: { $0 == axis.value })
        else { return nil }
        let said = operation.axisLinks(signature)
        var reached: Set<PortAxis> = [.output(output, axis: axis.axis)]
        var open = Array(reached)
        while let next = open.popLast() {
            for link in said.links where link.from == next || link.to == next {
                let other = link.from == next ? link.to : link.from
                if reached.insert(other).inserted { open.append(other) }
            }
        }
        var sources: [(port: Int, axis: ValueAxis)] = []
        for other in reached {
            guard case .input(let port) = other.port, node.inputs.indices.contains(port),
                let value = node.inputs[port]
            else { continue }
            sources.append((port, ValueAxis(value, axis: other.axis)))
        }
        return Origin(
            node: node, output: output, operation: operation, signature: signature,
            contractions: said.contractions, sources: sources)
    }

    // MARK: - What nodes make of zeros

    private func isZero(_ origin: Origin) -> Bool {
        let zeros = Set(origin.sources.filter { known[$0.axis] ?? false }.map(\.port))
        guard !zeros.isEmpty else { return false }
        if !origin.contractions.isEmpty { return isSumOfNothing(origin, zeros: zeros) }
        if isScaling(origin, zeros: zeros) { return true }
        let facts = origin.signature.inputs.compactMap { $0 } + origin.signature.outputs
        guard facts.allSatisfy({ $0.shape.count <= Self.elementLimit }) else { return false }
        return Self.arbitrary.allSatisfy { number in
            let inputs = origin.node.inputs.indices.map { port in
                input(port, of: origin, zeros: zeros, otherwise: number)
            }
            guard
                let outputs = try? origin.operation.evaluate(inputs, outputs: origin.signature.outputs).get(),
                outputs.indices.contains(origin.output)
            else { return false }
            return outputs[origin.output].scalars(as: Double.self).allSatisfy { $0 == 0 }
        }
    }

    /// Whether a factor of all products is zero, and all that is added to their sums. That need not be computed.
    private func isSumOfNothing(_ origin: Origin, zeros: Set<Int>) -> Bool {
        let factors = Set(origin.contractions.flatMap { [$0.first.port, $0.second.port] })
        let ports = origin.node.inputs.indices.filter { origin.node.inputs[$0] != nil }
        return zeros.contains { factors.contains(.input($0)) }
            && ports.allSatisfy { factors.contains(.input($0)) || zeros.contains($0) }
    }

    /// Whether all real numbers that a node reads are zero, and it makes zero of them since bounds are carried through it as
    /// they are through what is linear, to each side of zero at least. That need not be computed either.
    private func isScaling(_ origin: Origin, zeros: Set<Int>) -> Bool {
        let signature = origin.signature
        let reals = signature.inputs.indices.filter { signature.inputs[$0]?.dtype.isFloatingPoint ?? false }
        guard origin.output == 0, zeros.isSuperset(of: reals),
            let operation = origin.operation as? any BoundPropagating
        else { return false }
        return (try? operation.boundPropagation(varying: Set(reals), signature)) != nil
    }

    private func input(_ port: Int, of origin: Origin, zeros: Set<Int>, otherwise number: Double) -> Tensor? {
        guard let value = origin.node.inputs[port], origin.signature.hasInput(port),
            let facts = origin.signature.inputs[port]
        else { return nil }
        if zeros.contains(port) { return Tensor(zeros: facts.shape, dtype: facts.dtype) }
        if let constant = origin.signature.constant(port), !parameters.contains(value) { return constant }
        // Of truth values one is true and one is false.
        let filling = facts.dtype == .bool ? max(number, 0) : number
        let scalars = [Double](repeating: filling, count: facts.shape.count)
        return Tensor(shape: facts.shape, scalars: scalars).converted(to: facts.dtype)
    }
}
