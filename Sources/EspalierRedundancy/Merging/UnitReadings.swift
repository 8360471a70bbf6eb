import EspalierGraphs
package import EspalierOperators
package import EspalierPruning
import EspalierTensors

/// All places where the units of a layer are read, and what reads them there.
///
/// Layers behind different nonlinearities, poolings or sums read different values of the same units, so each place is
/// watched, and fitted, by itself.
package struct UnitReadings: Sendable {
    /// A value on which the units lie as they are read.
    package struct Place: Sendable {
        package let watched: WatchedUnits.Layer
        package fileprivate(set) var readers: [LinearReader]
    }

    /// The first is where the layer is watched for functional groups.
    package private(set) var places: [Place] = []

    /// - Parameters:
    ///   - pruner: for one sample.
    ///   - doubled: the same network for two, if it takes as many.
    ///   - endings: all of the network.
    /// - Throws: ``RedundancyError/unsuitable(_:)`` with the reason if something that reads the units cannot be told to
    ///   read a twin instead.
    package init(
        of layer: WatchedUnits.Layer, in pruner: Pruner, doubled: ResolvedGraph?,
        endings: [ActivationSites.EndingPort]
    ) throws(RedundancyError) {
        if let reason = pruner.refusal(ofCutting: layer.group) { throw .unsuitable(reason) }
        let (graph, group) = (pruner.graph, layer.group)
        let consumers = graph.consumers
        for ending in endings {
            guard let member = group.activations.first(where: { $0.axis == ending.axis }) else { continue }
            let node = graph.nodes.first { $0.id == ending.node }
            let label = node?.label ?? ""
            guard let watched = WatchedUnits.Layer(group, at: member, in: pruner.resolved, doubled: doubled)
            else {
                throw .unsuitable("its channels could not be watched where '\(label)' reads them")
            }
            guard let reader = LinearReader(ending, in: pruner.resolved),
                graph.constants[reader.weight.value]?.dtype.isFloatingPoint == true,
                group.members.contains(where: { $0.axis == reader.weight })
            else {
                throw .unsuitable(
                    "'\(label)' reads its channels otherwise than by weights that could be added up")
            }
            let weight = reader.weight.value
            guard consumers[weight] == [ending.node], reader.node.inputs.count(where: { $0 == weight }) == 1,
                !graph.outputs.contains(weight)
            else {
                throw .unsuitable(
                    "'\(graph.name(of: weight))', which reads its channels, is used elsewhere too")
            }
            if let place = places.firstIndex(where: { $0.watched.member.axis == member.axis }) {
                places[place].readers.append(reader)
            } else {
                places.append(Place(watched: watched, readers: [reader]))
            }
        }
    }
}
