import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension Graph {
    /// This graph with scales and shifts per channel (batch norm) folded into the constants of the convolutions
    /// and products before them, where nothing else reads the value in between. For inference only;
    /// nil if there is nothing to fold.
    func foldingChannelAffine(_ resolved: ResolvedGraph) throws(GraphError) -> Graph? {
        let consumers = consumers
        let producers = producers
        let kept = Set(outputs)
        let nodes = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0) })
        var patch = Patch(for: self)
        var touched: Set<NodeID> = []
        for node in self.nodes {
            guard let affine = resolved.operators[node.id] as? any ChannelAffine,
                let signature = resolved.signatures[node.id],
                let input = node.inputs.first.flatMap({ $0 }),
                let output = node.outputs.first.flatMap({ $0 }),
                node.outputs.count(where: { $0.map { consumers[$0] != nil || kept.contains($0) } ?? false })
                    <= 1,
                !kept.contains(input), consumers[input]?.count == 1,
                let producerID = producers[input], let producer = nodes[producerID],
                !touched.contains(producerID), producer.outputs.count == 1,
                let folding = resolved.operators[producerID] as? any ChannelAffineFolding,
                let producerSignature = resolved.signatures[producerID],
                let map = affine.channelAffine(signature),
                let constants = folding.folding(
                    scale: map.scale, shift: map.shift, signature: producerSignature)
            else { continue }
            var changed = producer
            for (port, tensor) in constants.sorted(by: { $0.key < $1.key }) {
                while changed.inputs.count <= port { changed.inputs.append(nil) }
                // A fresh constant: other nodes may share the old one.
                let base = changed.inputs[port].map(name(of:)) ?? "\(producer.label).bias"
                changed.inputs[port] = patch.newConstant("\(base).folded", tensor)
            }
            changed.outputs = [output]
            patch.append(.remove(node.id))
            patch.append(.replace(changed))
            touched.formUnion([producerID, node.id])
        }
        return patch.isEmpty ? nil : try applying(patch)
    }
}
