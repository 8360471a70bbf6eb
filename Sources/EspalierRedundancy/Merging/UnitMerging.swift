package import EspalierGraphs
package import EspalierPruning
import EspalierTensors

/// Folds redundant units of a network into their representatives, and cuts them out.
///
/// With a_j ~ slope * a_r + intercept, a reader's slices of unit j, times the slope, are added to those of the
/// representative r, and what the intercept adds by way of j's slices goes into the reader's bias. Then nothing needs j.
/// All layers are fitted to what they are in the network as it was.
package struct UnitMerging: Sendable {
    package let pruner: Pruner
    package let layers: [LayerMerge]

    package init(_ pruner: Pruner, layers: [LayerMerge]) {
        self.pruner = pruner
        self.layers = layers
    }

    /// The units that go, by group, for surgery.
    package var units: [(group: PruningGroup, units: [Int])] {
        layers.filter { !$0.units.isEmpty }.map { ($0.group, $0.units) }
    }

    package var count: Int { layers.reduce(0) { $0 + $1.units.count } }

    /// The plan that drops them; asked for is every redundant unit.
    package var plan: PrunePlan {
        let known = Dictionary(uniqueKeysWithValues: layers.map { ($0.group.id, $0) })
        return PrunePlan(
            model: pruner.graph.name, fingerprint: pruner.graph.structuralFingerprint, granularity: .channel,
            criterion: "merge", scope: "none", targets: [],
            channels: pruner.groups.all.map { group in
                let layer = known[group.id]
                let asked = layer.map { $0.units.count + $0.stayed.count }
                return PrunePlan.Channels(
                    group: group.id, size: group.size,
                    requested: asked.map { Double($0) / Double(max(group.size, 1)) },
                    refused: group.frozen?.message ?? layer?.refusal, dropped: layer?.units ?? [])
            })
    }

    /// The network without the units, and the same with all their slices zero, which must compute alike.
    ///
    /// - Throws: ``PruningError``, if the cut does not come out as it should.
    package func merged() throws(PruningError) -> (cut: Graph, masked: Graph) {
        var patch = Patch(for: pruner.graph)
        for (weight, tensor) in weights().sorted(by: { $0.key < $1.key }) {
            patch.append(.setConstant(weight, tensor))
        }
        var folding = ConstantFolding(pruner.resolved)
        for change in layers.lazy.flatMap(\.merged).flatMap(\.changes) {
            if let shift = change.shift { folding.add(shift, to: change.reader.node.id) }
        }
        folding.append(to: &patch)
        let folded = try pruner.following(patch, units: units)
        return (
            try folded.pruner.cut(dropping: folded.units),
            try folded.pruner.masked(folded.pruner.masks(dropping: folded.units))
        )
    }

    /// The readers' weights with the slices of merged units added to those of their representatives.
    private func weights() -> [ValueID: Tensor] {
        var sums: [ValueID: [Double]] = [:]
        for layer in layers {
            for merge in layer.merged {
                guard let representative = merge.representative else { continue }
                for change in merge.changes {
                    let axis = change.reader.weight
                    guard let tensor = pruner.graph.constants[axis.value],
                        let member = layer.group.members.first(where: { $0.axis == axis })
                    else { continue }
                    // Units that go are no representatives, so their own slices are as they were.
                    var sum = sums[axis.value] ?? tensor.scalars(as: Double.self)
                    let pairs = zip(
                        member.indices(ofUnit: merge.unit), member.indices(ofUnit: representative))
                    for (source, target) in pairs {
                        Self.add(
                            source, times: change.fit.slope, to: target, of: &sum, axis: axis.axis,
                            shape: tensor.shape)
                    }
                    sums[axis.value] = sum
                }
            }
        }
        return Dictionary(
            uniqueKeysWithValues: sums.compactMap { id, scalars in
                pruner.graph.constants[id].map { old in
                    (id, Tensor(shape: old.shape, scalars: scalars).converted(to: old.dtype))
                }
            })
    }

    /// Adds one slice along an axis, times a factor, to another.
    private static func add(
        _ source: Int, times factor: Double, to target: Int, of elements: inout [Double], axis: Int,
        shape: Shape
    ) {
        let (inner, extent) = (shape.strides[axis], shape[axis])
        for outer in 0..<shape.count(0..<axis) {
            let (from, to) = ((outer * extent + source) * inner, (outer * extent + target) * inner)
            for position in 0..<inner { elements[to + position] += factor * elements[from + position] }
        }
    }
}
