import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Which elementwise nodes disappear into the kernels that produce what they read.
///
/// A node is absorbed if its input is an ``EpilogueAccepting`` node's output (perhaps through other absorbed
/// nodes) that nothing else reads. A sum is absorbed by the later of its two producers; the other must exist by then.
struct FusionPlan {
    struct Link {
        var node: Node
        var step: EpilogueStep
        /// The other operand of a sum.
        var addend: ValueID?
        var output: ValueID
    }

    private var chains: [NodeID: [Link]] = [:]
    private var absorbed: Set<NodeID> = []

    /// A plan that fuses nothing.
    init() {}

    /// - Parameter kept: values that must be stored as they are.
    init(_ resolved: ResolvedGraph, keeping kept: Set<ValueID>) {
        let graph = resolved.graph
        let consumers = graph.consumers
        let positions = graph.nodePositions
        let producers = graph.producers
        let nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.id, $0) })

        // When each value exists: the position of the node after which it is stored.
        func readyPosition(_ value: ValueID) -> Int {
            guard let producer = producers[value], let position = positions[producer] else { return -1 }
            return position
        }

        // Later producers choose first, so that a sum goes to the later of its two operands' producers.
        for head in graph.nodes.reversed() {
            guard let operation = resolved.operators[head.id] as? any EpilogueAccepting,
                let signature = resolved.signatures[head.id], let headPosition = positions[head.id],
                isSingleFloatOutput(signature), var current = head.outputs.first.flatMap({ $0 })
            else { continue }
            var chain: [Link] = []
            while !kept.contains(current), let readers = consumers[current], readers.count == 1,
                let next = nodes[readers[0]], !absorbed.contains(next.id),
                let nextSignature = resolved.signatures[next.id],
                let epilogue = resolved.operators[next.id] as? any Epilogue,
                let step = epilogue.epilogueStep(nextSignature),
                next.inputs.count(where: { $0 == current }) == 1, next.capturedValues.isEmpty,
                let output = next.outputs.first.flatMap({ $0 }),
                nextSignature.outputShape() == signature.outputShape(),
                operation.accepts(step, signature: signature)
            {
                var addend: ValueID?
                if step.hasAddend {
                    guard let other = next.inputs.compactMap({ $0 }).first(where: { $0 != current }),
                        (resolved.facts[other]?.shape == signature.outputShape()) == (step == .add),
                        readyPosition(other) < headPosition,
                        !chain.contains(where: { $0.step == step })
                    else { break }
                    addend = other
                } else if next.inputs.first != current {
                    break
                }
                chain.append(Link(node: next, step: step, addend: addend, output: output))
                absorbed.insert(next.id)
                current = output
            }
            if !chain.isEmpty { chains[head.id] = chain }
        }
    }

    func chain(from head: NodeID) -> [Link] { chains[head] ?? [] }
    func isAbsorbed(_ node: NodeID) -> Bool { absorbed.contains(node) }

    private func isSingleFloatOutput(_ signature: Signature) -> Bool {
        signature.outputs.count == 1 && signature.outputs[0].dtype == .float32
    }
}
