import Espalier
import EspalierGraphs
import EspalierPruning
import EspalierTensors

/// What `inspect --json` prints.
struct InspectionDocument: Encodable {
    struct Port: Encodable {
        let name: String
        /// As declared, such as `Nx3x224x224`; absent if nothing is.
        let shape: String?
        let type: String?

        init(_ id: ValueID, in graph: Graph) {
            name = graph.name(of: id)
            let declared = graph.values[id]?.type
            shape = declared?.dimensions?.text
            type = declared?.dtype.rawValue
        }
    }

    /// A weight that cannot be pruned at all.
    struct Refusal: Encodable {
        let name: String
        let reason: String
    }

    let summary: ModelSummary
    let groups: [GroupSummary]
    let refusals: [Refusal]
    let graph: Graph
    let path: String
    let fileBytes: Int?

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, path, name, fileBytes, opset, inputs, outputs, groups, refusals
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(1, forKey: .schemaVersion)
        try container.encode(path, forKey: .path)
        try container.encode(graph.name, forKey: .name)
        try container.encodeIfPresent(fileBytes, forKey: .fileBytes)
        try container.encode(graph.opsetVersions, forKey: .opset)
        try container.encode(graph.inputs.map { Port($0, in: graph) }, forKey: .inputs)
        try container.encode(graph.outputs.map { Port($0, in: graph) }, forKey: .outputs)
        try container.encode(groups, forKey: .groups)
        try container.encode(refusals, forKey: .refusals)
        // The totals, layers and opaque nodes stand beside these, not below them.
        try summary.encode(to: encoder)
    }
}
