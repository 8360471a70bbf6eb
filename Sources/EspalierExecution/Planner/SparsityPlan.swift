import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierTensors

/// Whether zeros among constant weights are left out.
package enum SparsityUse: Sendable {
    case never
    /// Where the model predicts that it saves time, copies into other layouts included.
    case whereFaster(KernelCostModel)
    /// Wherever there is a kernel.
    case always
}

/// Which nodes leave out the zeros of their weights, and in which format.
///
/// Kernels that do want row-major activations, dense convolutions channels last, and every copy from one to the other takes
/// time, so the layers can't decide one by one. What each node takes in either layout, and what the copies between
/// them take, are the costs of a cut that parts row-major nodes from the others: the least of all cuts is the plan with the
/// least predicted time.
struct SparsityPlan {
    private let everywhere: Bool
    private let precision: Precision
    private var nodes: Set<NodeID> = []
    /// The product of each node that has a choice.
    private var works: [NodeID: KernelWork] = [:]

    func usesSparsity(_ node: NodeID) -> Bool { everywhere || nodes.contains(node) }

    /// How the node's weights are kept; nil if it has no choice.
    func format(_ node: NodeID) -> KernelFormat? {
        works[node].map {
            usesSparsity(node) ? $0.sparseFormat(in: precision) : $0.denseFormat(in: precision)
        }
    }

    /// What decides how many threads the node is worth; nil if it has no choice.
    func teamWork(_ node: NodeID) -> ThreadTeam.Work? {
        guard let work = works[node], let format = format(node) else { return nil }
        return work.teamWork(format)
    }

    /// - Parameters:
    ///   - nodes: those that will be lowered, in order, without the ones that are fused into them.
    ///   - targets: values that are wanted row-major.
    init(
        _ use: SparsityUse, _ precision: Precision, _ resolved: ResolvedGraph, nodes: [Node],
        fusion: FusionPlan, targets: [ValueID]
    ) {
        if case .always = use { everywhere = true } else { everywhere = false }
        self.precision = precision
        if case .never = use { return }
        let choices = nodes.map { (node: $0, choice: Self.choice($0, resolved)) }
        for (node, choice) in choices {
            if case .product(let work, _) = choice { works[node.id] = work }
        }
        guard case .whereFaster(let costs) = use, !works.isEmpty else { return }
        var network = LayoutNetwork(resolved, costs, precision)
        self.nodes = network.leastCost(choices, fusion: fusion, targets: targets)
    }

    private static func choice(_ node: Node, _ resolved: ResolvedGraph) -> LayoutChoice {
        guard let operation = resolved.operators[node.id] as? any Lowering,
            let signature = resolved.signatures[node.id]
        else { return .fixed(input: .plain, output: .plain) }
        return operation.layoutChoice(signature)
    }
}

extension KernelCostModel {
    /// How many times as fast as dense execution leaving out zeros must promise to be. Predictions of small layers err by some ten
    /// percent: what promises no more is not worth leaving the dense path. More so with several threads, whose calls cost what
    /// else they do in between.
    package var caution: Double { ceilings.threads > 1 ? 1.35 : 1.15 }
}

/// The layouts of a network's activations as a cut: vertices on the source's side are row-major.
private struct LayoutNetwork {
    private let resolved: ResolvedGraph
    private let costs: KernelCostModel
    private let precision: Precision
    private var cut = MinimumCut()
    /// The vertex of each activation that may be in either layout.
    private var producers: [ValueID: Int] = [:]
    private var readers: [ValueID: [Int]] = [:]

    init(_ resolved: ResolvedGraph, _ costs: KernelCostModel, _ precision: Precision) {
        self.resolved = resolved
        self.costs = costs
        self.precision = precision
    }

    /// The nodes that leave out zeros, or are to be ready for it, in the fastest plan.
    mutating func leastCost(
        _ choices: [(node: Node, choice: LayoutChoice)], fusion: FusionPlan, targets: [ValueID]
    ) -> Set<NodeID> {
        let works = choices.compactMap { if case .product(let work, _) = $0.choice { work } else { nil } }
        let others = choices.reduce(0) { sum, each in
            if case .product = each.choice { return sum }
            return sum + constantByteCount(each.node)
        }
        for input in resolved.graph.inputs { producers[input] = MinimumCut.source }
        var chosen: Set<NodeID> = []
        var open: [(node: NodeID, vertex: Int)] = []
        for (node, choice) in choices {
            let chain = fusion.chain(from: node.id)
            let (input, output): (Int?, Int)
            switch choice {
            case .follows:
                let vertex = cut.addVertex()
                open.append((node.id, vertex))
                (input, output) = (vertex, vertex)
            case .fixed(let before, let after):
                (input, output) = (before.map(vertex), vertex(after))
            case .product(let work, let dense):
                let times = times(work, resident: works, others: others)
                if dense == .plain {
                    if times.sparse < times.dense { chosen.insert(node.id) }
                    (input, output) = (MinimumCut.source, MinimumCut.source)
                } else {
                    let vertex = cut.addVertex()
                    open.append((node.id, vertex))
                    cut.addEdge(from: vertex, to: MinimumCut.sink, capacity: times.sparse)
                    cut.addEdge(from: MinimumCut.source, to: vertex, capacity: times.dense)
                    (input, output) = (vertex, vertex)
                }
            }
            if let input { for case let value? in node.inputs { readers[value, default: []].append(input) } }
            for link in chain {
                if let addend = link.addend { readers[addend, default: []].append(output) }
            }
            for case let value? in node.outputs.dropFirst(chain.isEmpty ? 0 : 1) { producers[value] = output }
            if let last = chain.last { producers[last.output] = output }
        }
        for target in targets { readers[target, default: []].append(MinimumCut.source) }
        for (value, vertices) in readers { addCopies(of: value, to: vertices) }
        let isPlain = cut.sourceSide()
        for (node, vertex) in open where isPlain[vertex] { chosen.insert(node) }
        return chosen
    }

    private func vertex(_ layout: ActivationLayout) -> Int {
        layout == .plain ? MinimumCut.source : MinimumCut.sink
    }

    /// What a value costs once it is needed in the layout that its producer does not make, by however many readers.
    private mutating func addCopies(of value: ValueID, to readers: [Int]) {
        // With two axes both layouts are one.
        guard let producer = producers[value], let facts = resolved.facts[value], facts.shape.rank > 2,
            facts.constant == nil
        else { return }
        let byteCount = Double(facts.shape.count * facts.dtype.byteCount)
        let toChannelsLast = cut.addVertex()
        let toPlain = cut.addVertex()
        cut.addEdge(
            from: producer, to: toChannelsLast,
            capacity: Self.picoseconds(byteCount * costs.reorders.secondsPerByteToChannelsLast))
        cut.addEdge(
            from: toPlain, to: producer,
            capacity: Self.picoseconds(byteCount * costs.reorders.secondsPerByteToPlain))
        for reader in readers {
            cut.addEdge(from: toChannelsLast, to: reader, capacity: MinimumCut.unlimited)
            cut.addEdge(from: reader, to: toPlain, capacity: MinimumCut.unlimited)
        }
    }

    private func constantByteCount(_ node: Node) -> Int {
        node.inputs.reduce(0) { sum, input in
            sum + (input.flatMap { resolved.facts[$0]?.constant }?.byteCount ?? 0)
        }
    }

    /// - Parameters:
    ///   - resident: all products of the network that have a choice, between two runs of which the others' weights are used.
    ///   - others: bytes of all other constants.
    private func times(_ work: KernelWork, resident: [KernelWork], others: Int) -> (sparse: Int, dense: Int) {
        func seconds(_ format: (KernelWork) -> KernelFormat) -> Double? {
            costs.prediction(
                work, format: format(work),
                residentByteCount: resident.reduce(others) { $0 + $1.weightByteCount(format($1)) })?.seconds
        }
        guard let dense = seconds({ $0.denseFormat(in: precision) }),
            let sparse = seconds({ $0.sparseFormat(in: precision) })
        else {
            return (MinimumCut.unlimited, 0)
        }
        return (Self.picoseconds(sparse * costs.caution), Self.picoseconds(dense))
    }

    private static func picoseconds(_ seconds: Double) -> Int {
        Int(min(seconds * 1e12, Double(MinimumCut.unlimited)))
    }
}
