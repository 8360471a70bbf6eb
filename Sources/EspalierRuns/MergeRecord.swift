extension RunRecord {
    /// What folding redundant units into their representatives did, beside plain removal: the result of
    /// `redundancy --merge`.
    public struct Merging: Codable, Sendable, Equatable {
        /// In the network's order; only layers whose units could be watched.
        public var layers: [MergedLayer]
        /// In the order of their names' cases; none is repaired in any way.
        public var variants: [MergeVariant]

        public init(layers: [MergedLayer], variants: [MergeVariant]) {
            self.layers = layers
            self.variants = variants
        }
    }

    public struct MergedLayer: Codable, Sendable, Equatable {
        public var name: String
        public var units: Int
        public var merged: [MergedUnit]
        /// Redundant units that stay all the same.
        public var stayed: [StayingUnit]

        public init(name: String, units: Int, merged: [MergedUnit], stayed: [StayingUnit]) {
            self.name = name
            self.units = units
            self.merged = merged
            self.stayed = stayed
        }
    }

    /// A unit that is gone.
    public struct MergedUnit: Codable, Sendable, Equatable {
        public var unit: Int
        /// The unit that stands for it; absent for a constant, which needs none.
        public var representative: Int?
        public var readers: [ReaderFit]

        public init(unit: Int, representative: Int?, readers: [ReaderFit]) {
            self.unit = unit
            self.representative = representative
            self.readers = readers
        }
    }

    /// How a unit is told to one of its readers: slope * representative + intercept.
    public struct ReaderFit: Codable, Sendable, Equatable {
        public var reader: String
        public var slope: Double
        public var intercept: Double
        /// R^2 on the data that were fitted.
        public var determination: Double

        public init(reader: String, slope: Double, intercept: Double, determination: Double) {
            self.reader = reader
            self.slope = slope
            self.intercept = intercept
            self.determination = determination
        }
    }

    public struct StayingUnit: Codable, Sendable, Equatable {
        public var unit: Int
        public var reason: String

        public init(unit: Int, reason: String) {
            self.unit = unit
            self.reason = reason
        }
    }

    /// One of the networks that are compared.
    public struct MergeVariant: Codable, Sendable, Equatable {
        public enum Name: String, Codable, Sendable, CustomStringConvertible {
            /// The network as it was.
            case dense
            case merged
            /// The merged units cut out, and nothing folded.
            case removed
            /// As many units of each layer cut out, those of least magnitude.
            case magnitude

            /// In words, for tables.
            public var description: String {
                switch self {
                case .dense: "as it was"
                case .merged: "merged"
                case .removed: "the same units removed"
                case .magnitude: "as many removed by magnitude"
                }
            }
        }

        public var name: Name
        public var parameters: Int
        /// On the held-out data; absent for data without classes.
        public var accuracy: Double?
        public var loss: Double?

        public init(name: Name, parameters: Int, accuracy: Double?, loss: Double?) {
            self.name = name
            self.parameters = parameters
            self.accuracy = accuracy
            self.loss = loss
        }
    }
}
