import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Gathers a receipt's lines.
struct ReceiptWriter {
    let pruner: Pruner
    let plan: PrunePlan
    let before: ModelSummary
    let after: ModelSummary
    /// What is left of costs that are not counted here, by the kind of their target.
    var shares: [String: Double] = [:]

    func layers() throws(PruningError) -> [Receipt.Layer] {
        switch plan.granularity {
        case .element, .inputGroups, .blocks: try elementLayers()
        case .channel: try channelLayers()
        }
    }

    // MARK: - Targets

    func targets() throws(PruningError) -> [Receipt.Target] {
        var result: [Receipt.Target] = []
        // What a granularity asks of each layer by itself stands with the layers.
        for target in plan.targets where target.kind != PruningTarget.completion(1).kind {
            result.append(
                Receipt.Target(
                    kind: target.kind, requested: target.value, achieved: try achieved(target.kind)))
        }
        return result
    }

    private func achieved(_ kind: String) throws(PruningError) -> Double? {
        let isChannel = plan.granularity == .channel
        func share(_ now: Int, _ was: Int) -> Double { was == 0 ? 0 : Double(now) / Double(was) }
        switch kind {
        case PruningTarget.sparsity(0).kind: return try sparsityOfPrunable()
        case PruningTarget.maxParameters(1).kind:
            let now = isChannel ? after.totals.parameters : after.totals.nonzero
            return share(now, before.totals.parameters)
        case PruningTarget.maxMultiplyAccumulates(1).kind:
            let (was, now) = (before.totals, after.totals)
            return share(
                isChannel ? now.multiplyAccumulates : now.effectiveMultiplyAccumulates,
                was.multiplyAccumulates)
        default: return shares[kind]
        }
    }

    /// The share that the plan removes of the parameters which took part.
    func sparsityOfPrunable() throws(PruningError) -> Double {
        switch plan.granularity {
        case .element, .inputGroups, .blocks:
            let entries = (plan.elements ?? []).filter { $0.requested != nil }
            let total = entries.reduce(0) { $0 + Shape($1.shape).count }
            return total == 0 ? 0 : 1 - Double(entries.reduce(0) { $0 + $1.kept }) / Double(total)
        case .channel:
            var touched: Set<ValueID> = []
            for entry in plan.channels ?? [] where entry.requested != nil {
                touched.formUnion(pruner.groups[entry.group]?.members.map(\.axis.value) ?? [])
            }
            let graph = pruner.graph
            let cut = GraphCut(dropping: try pruner.droppedUnits(of: plan), in: pruner.resolved)
            var (was, now) = (0, 0)
            for value in touched where graph.constants[value]?.dtype.isFloatingPoint == true {
                guard let facts = pruner.resolved.facts[value] else { continue }
                was += facts.shape.count
                now += cut.facts(facts, of: value).shape.count
            }
            return was == 0 ? 0 : 1 - Double(now) / Double(was)
        }
    }

    // MARK: - Layers

    private func line(
        _ layer: WeightedLayer, groups: [String], requested: Double?, achieved: Double, refused: String?
    ) -> Receipt.Layer {
        let node = pruner.graph.nodes.first { $0.id == layer.node }
        return Receipt.Layer(
            name: layer.name, op: node?.operatorName.description ?? "", weight: layer.weightName,
            groups: groups,
            requested: requested, achieved: achieved, refused: refused,
            before: before.layer(of: layer.node)?.totals ?? .init(),
            after: after.layer(of: layer.node)?.totals ?? .init())
    }

    private func elementLayers() throws(PruningError) -> [Receipt.Layer] {
        let entries = Dictionary((plan.elements ?? []).map { ($0.parameter, $0) }) { first, _ in first }
        return pruner.groups.layers.map { layer in
            guard let entry = entries[layer.weightName] else {
                return line(
                    layer, groups: [], requested: nil, achieved: 0, refused: "the plan does not mention it")
            }
            let size = max(layer.shape.count, 1)
            return line(
                layer, groups: [], requested: entry.requested,
                achieved: 1 - Double(entry.kept) / Double(size), refused: entry.refused)
        }
    }

    private func channelLayers() throws(PruningError) -> [Receipt.Layer] {
        let entries = Dictionary((plan.channels ?? []).map { ($0.group, $0) }) { first, _ in first }
        return pruner.groups.layers.map { layer in
            guard let axis = layer.producerAxis else {
                let reason = layer.refused?.message ?? "it is not known where its output channels lie"
                return line(layer, groups: [], requested: nil, achieved: 0, refused: reason)
            }
            let groups = pruner.groups.groups(on: ValueAxis(layer.weight, axis: axis))
            var (channels, dropped, asked, askedChannels) = (0, 0, 0.0, 0)
            var reasons: [String] = []
            for group in groups {
                guard let entry = entries[group.id] else {
                    reasons.append("the plan does not mention group '\(group.id)'")
                    channels += group.size
                    continue
                }
                channels += entry.size
                dropped += entry.dropped.count
                if let requested = entry.requested {
                    asked += requested * Double(entry.size)
                    askedChannels += entry.size
                }
                if let reason = entry.refused, !reasons.contains(reason) { reasons.append(reason) }
            }
            return line(
                layer, groups: groups.map(\.id),
                requested: askedChannels == 0 ? nil : asked / Double(askedChannels),
                achieved: channels == 0 ? 0 : Double(dropped) / Double(channels),
                refused: reasons.isEmpty ? nil : reasons.joined(separator: "; "))
        }
    }
}
