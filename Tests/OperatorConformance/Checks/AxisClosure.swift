import EspalierOperators
import EspalierTensors

/// One index of one axis of a node's port.
struct AxisIndex: Hashable {
    let axis: PortAxis
    let index: Int
}

/// The classes of indices that one node's links hold together: what pruning computes over a network, for one node.
struct AxisClosure {
    /// Each class that may be cut, its members in order of discovery.
    let classes: [[AxisIndex]]

    init(_ links: AxisLinks, _ signature: Signature) {
        var neighbours: [AxisIndex: [AxisIndex]] = [:]
        var order: [AxisIndex] = []
        func mention(_ axis: PortAxis) {
            for index in 0..<(signature.extent(of: axis) ?? 0) {
                let member = AxisIndex(axis: axis, index: index)
                if neighbours[member] == nil {
                    neighbours[member] = []
                    order.append(member)
                }
            }
        }
        for link in links.links {
            mention(link.from)
            mention(link.to)
            guard let from = signature.extent(of: link.from), let to = signature.extent(of: link.to) else {
                continue
            }
            link.map.forEachPair(from: from, to: to) { first, second in
                let one = AxisIndex(axis: link.from, index: first)
                let other = AxisIndex(axis: link.to, index: second)
                neighbours[one, default: []].append(other)
                neighbours[other, default: []].append(one)
            }
        }
        links.free.forEach(mention)

        let frozen = Set(links.frozen.map(\.axis))
        var seen: Set<AxisIndex> = []
        var classes: [[AxisIndex]] = []
        for start in order where seen.insert(start).inserted {
            var members = [start]
            var next = 0
            while next < members.count {
                for member in neighbours[members[next]] ?? [] where seen.insert(member).inserted {
                    members.append(member)
                }
                next += 1
            }
            if !members.contains(where: { frozen.contains($0.axis) }) { classes.append(members) }
        }
        self.classes = classes
    }
}

extension Signature {
    func shape(of port: PortAxis.Port) -> Shape? {
        switch port {
        case .input(let port): inputs.indices.contains(port) ? inputs[port]?.shape : nil
        case .output(let port): outputs.indices.contains(port) ? outputs[port].shape : nil
        }
    }

    /// nil if there is no such axis.
    func extent(of axis: PortAxis) -> Int? {
        guard let shape = shape(of: axis.port), (0..<shape.rank).contains(axis.axis) else { return nil }
        return shape[axis.axis]
    }
}
