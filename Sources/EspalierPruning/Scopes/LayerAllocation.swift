package import Foundation

/// What share of each layer is to be removed, as a document: written by hand, or by whoever measured what layers can bear.
///
/// ```json
/// {"schemaVersion": 1, "granularity": "channel", "layers": [{"name": "conv1", "sparsity": 0.4}]}
/// ```
package struct LayerAllocation: Sendable, Hashable {
    package static let schemaVersion = 1

    package let granularity: Granularity
    package let layers: [Layer]

    package struct Layer: Sendable, Hashable, Codable {
        /// The name of a layer or its weight, or the identifier of a group of channels.
        package let name: String
        /// The share to remove, from 0 to below 1: of its weights, or of its output channels.
        package let sparsity: Double

        package init(name: String, sparsity: Double) {
            self.name = name
            self.sparsity = sparsity
        }
    }

    /// - Throws: ``PruningError/allocationEntry(_:problem:)`` for a share outside 0..<1 or a name that stands there twice;
    ///   ``PruningError/allocationUnreadable(_:)`` for no layers, or N:M granularity, which fixes the shares itself.
    package init(layers: [Layer], granularity: Granularity) throws(PruningError) {
        guard !granularity.fixesShares else {
            throw .allocationUnreadable("\(granularity.rawValue) takes the same share of every layer")
        }
        guard !layers.isEmpty else { throw .allocationUnreadable("it lists no layers") }
        var names: Set<String> = []
        for layer in layers {
            guard (0..<1).contains(layer.sparsity) else {
                throw .allocationEntry(
                    layer.name, problem: "a sparsity of \(layer.sparsity) is not from 0 to below 1")
            }
            guard names.insert(layer.name).inserted else {
                throw .allocationEntry(layer.name, problem: "it is listed twice")
            }
        }
        self.granularity = granularity
        self.layers = layers
    }
}

extension LayerAllocation: Codable {
    private enum CodingKeys: String, CodingKey { case schemaVersion, granularity, layers }

    /// - Throws: ``PruningError/allocationVersion(_:)`` and as ``init(layers:granularity:)``, or what the decoder throws.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .schemaVersion)
        guard version == Self.schemaVersion else { throw PruningError.allocationVersion(version) }
        try self.init(
            layers: try container.decode([Layer].self, forKey: .layers),
            granularity: try container.decode(Granularity.self, forKey: .granularity))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.schemaVersion, forKey: .schemaVersion)
        try container.encode(granularity, forKey: .granularity)
        try container.encode(layers, forKey: .layers)
    }

    /// The document, for people to read and edit.
    package func json() throws(PruningError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self)
        } catch {
            throw .allocationUnreadable("\(error)")
        }
    }

    /// Reads the document. Whether it fits a model is checked when a plan is made.
    ///
    /// - Throws: ``PruningError/allocationUnreadable(_:)`` with the place in the document,
    ///   ``PruningError/allocationVersion(_:)``, ``PruningError/allocationEntry(_:problem:)``.
    package init(json: Data) throws(PruningError) {
        do {
            self = try JSONDecoder().decode(LayerAllocation.self, from: json)
        } catch let error as PruningError {
            throw error
        } catch let error as DecodingError {
            throw .allocationUnreadable(error.explanation)
        } catch {
            throw .allocationUnreadable("\(error)")
        }
    }
}
