/// What is removed from a network, before anything is touched: written as JSON, edited by hand if need be,
/// applied as masks or by surgery.
package struct PrunePlan: Sendable, Codable, Equatable {
    package static let schemaVersion = 1

    package var schemaVersion = PrunePlan.schemaVersion
    /// The model's name, for people.
    package var model: String
    /// ``EspalierGraphs/Graph/structuralFingerprint`` of the model that the plan is for.
    package var fingerprint: String
    package var granularity: Granularity
    package var criterion: String
    package var scope: String
    package var targets: [Target]
    /// For channels: every group, in the graph's order.
    package var channels: [Channels]?
    /// For all granularities but channels: every weight, in the graph's order.
    package var elements: [Elements]?

    package struct Target: Sendable, Codable, Equatable {
        package var kind: String
        package var value: Double

        package init(kind: String, value: Double) {
            self.kind = kind
            self.value = value
        }
    }

    /// What happens to one group of channels.
    package struct Channels: Sendable, Codable, Equatable {
        package var group: String
        package var size: Int
        /// The share that the scope would have removed; absent for groups that did not take part.
        package var requested: Double?
        /// Why less, or nothing, is removed.
        package var refused: String?
        /// Numbers of the units to remove. Edit this.
        package var dropped: [Int]

        package init(
            group: String, size: Int, requested: Double? = nil, refused: String? = nil, dropped: [Int]
        ) {
            self.group = group
            self.size = size
            self.requested = requested
            self.refused = refused
            self.dropped = dropped
        }
    }

    /// What happens to the elements of one weight.
    package struct Elements: Sendable, Codable, Equatable {
        package var parameter: String
        package var shape: [Int]
        /// Absent for weights that take no part; their mask has what was zero before.
        package var requested: Double?
        package var refused: String?
        package var kept: Int
        /// The kept elements as ``PackedMask`` writes them; absent where all are kept. Delete it, and set
        /// `kept` to the number of elements, to leave the weight alone.
        package var mask: String?

        package init(
            parameter: String, shape: [Int], requested: Double? = nil, refused: String? = nil, kept: Int,
            mask: String? = nil
        ) {
            self.parameter = parameter
            self.shape = shape
            self.requested = requested
            self.refused = refused
            self.kept = kept
            self.mask = mask
        }
    }

    package init(
        model: String, fingerprint: String, granularity: Granularity, criterion: String, scope: String,
        targets: [Target], channels: [Channels]? = nil, elements: [Elements]? = nil
    ) {
        self.model = model
        self.fingerprint = fingerprint
        self.granularity = granularity
        self.criterion = criterion
        self.scope = scope
        self.targets = targets
        self.channels = channels
        self.elements = elements
    }
}
