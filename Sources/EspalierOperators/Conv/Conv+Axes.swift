import EspalierGraphs
import EspalierTensors

/// Channels are linked, the batch is linked, positions are frozen.
///
/// - Without groups, an output channel is a slice of the weight's axis 0, an input channel one of its axis 1.
/// - Depthwise (one input channel per group), input channel c is the weights and output channels
///   c m ..< (c + 1) m, m the multiplier; cutting it takes a group away.
/// - With other groups, the number of groups stays, and the same position is cut in every group at once, of the
///   inputs and, on its own, of the outputs: groups must stay equally wide.
extension Conv: AxisLinking {
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        guard let geometry = geometry(signature) else { return links }
        let inputChannels = PortAxis.input(0, axis: 1)
        let filters = PortAxis.input(1, axis: 0)
        let filterChannels = PortAxis.input(1, axis: 1)
        links.link(.input(0, axis: 0), .output(0, axis: 0))
        links.link(filters, .output(0, axis: 1))
        links.roles[filters] = .producer
        if signature.hasInput(2) {
            links.link(.input(2, axis: 0), filters)
            links.roles[.input(2, axis: 0)] = .affine
        }
        if geometry.isDepthwise {
            links.link(inputChannels, filters, .spread(outer: 1, inner: geometry.groupOutputs))
            links.frozen.append((filterChannels, "there is one input channel per group"))
        } else {
            let map: IndexMap = groups == 1 ? .identity : .spread(outer: groups, inner: 1)
            links.link(filterChannels, inputChannels, map)
            links.contractions.append((inputChannels, filterChannels))
            links.roles[filterChannels] = .consumer
            // Each filter and the one at its position in the next group: closure makes that all groups.
            if groups > 1 { links.link(filters, filters, .offset(geometry.groupOutputs)) }
        }
        for axis in 0..<geometry.windows.axes.count {
            for port in [PortAxis.input(0, axis: axis + 2), .output(0, axis: axis + 2)] {
                links.frozen.append((port, "a convolution mixes its positions"))
            }
            links.frozen.append((.input(1, axis: axis + 2), "the kernel keeps its extents"))
        }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        var edits = NodeEdits()
        guard let geometry = geometry(signature) else { return edits }
        if geometry.isDepthwise {
            guard let kept = cut[.input(0, axis: 1)] else { return edits }
            let multiplier = geometry.groupOutputs
            if let filters = cut[.input(1, axis: 0)] {
                let expected = kept.flatMap { $0 * multiplier..<($0 + 1) * multiplier }
                guard filters == expected else {
                    throw .unsupported("cutting filters of a depthwise convolution without their channels")
                }
            }
            edits.attributes["group"] = .int(Int64(kept.count))
        } else if groups > 1 {
            for (axis, width) in [
                (PortAxis.input(0, axis: 1), geometry.groupInputs),
                (.input(1, axis: 0), geometry.groupOutputs),
            ] {
                guard let kept = cut[axis] else { continue }
                let first = kept.filter { $0 < width }
                guard kept == (0..<groups).flatMap({ group in first.map { $0 + group * width } }) else {
                    throw .unsupported("cutting groups of a convolution to different widths")
                }
            }
        }
        return edits
    }
}
