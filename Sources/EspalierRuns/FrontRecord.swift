extension RunRecord {
    /// One network of a trade-off between error and costs: a result of `pareto`.
    public struct FrontPoint: Codable, Sendable, Equatable {
        /// The key of its trial in the run store.
        public var key: String
        /// How it was found: "dense", "lagrangian", "budget", "l0", "one-shot", "iterative", "from-scratch", ...
        public var method: String
        public var seed: UInt64
        /// The price of the whole cost, where a price decided on it.
        public var lambda: Double?
        /// The share of the cost that was to be left at most, where a budget decided on it.
        public var budget: Double?
        /// 1 minus the accuracy on the validation data: what the front is of.
        public var error: Double
        /// The first cost: the second of ``Front/objectives``, in its unit.
        public var cost: Double
        /// Every objective's value, by name and in its unit.
        public var values: [String: Double]
        /// On the test data, read once.
        public var accuracy: Double?
        /// The widths of the network's channel groups, in the graph's order.
        public var widths: [Width]?
        /// The arguments that make this network alone.
        public var arguments: [String]?
        /// The model's file.
        public var path: String?

        /// The key without the prices on the path before, of which there may be many.
        package var name: String {
            key.split(separator: "/").filter { !$0.hasPrefix("after=") }.joined(separator: "/")
        }

        public init(
            key: String, method: String, seed: UInt64, lambda: Double? = nil, budget: Double? = nil,
            error: Double, cost: Double, values: [String: Double], accuracy: Double? = nil,
            widths: [Width]? = nil, arguments: [String]? = nil, path: String? = nil
        ) {
            self.key = key
            self.method = method
            self.seed = seed
            self.lambda = lambda
            self.budget = budget
            self.error = error
            self.cost = cost
            self.values = values
            self.accuracy = accuracy
            self.widths = widths
            self.arguments = arguments
            self.path = path
        }
    }

    /// How many channels of a group are left.
    public struct Width: Codable, Sendable, Equatable {
        public var group: String
        public var kept: Int
        public var size: Int

        public init(group: String, kept: Int, size: Int) {
            self.group = group
            self.kept = kept
            self.size = size
        }
    }

    /// What a trade-off is between, and what stands out on it: a result of `pareto`, beside ``front`` and ``dominated``.
    public struct Front: Codable, Sendable, Equatable {
        /// One quantity that is to be small.
        public struct Objective: Codable, Sendable, Equatable {
            /// As on the command line: "accuracy-drop", "macs", "parameters", "bytes", "latency".
            public var name: String
            /// "share" (0 to 1, of the dense network) or "ms".
            public var unit: String
            /// That of the dense network.
            public var dense: Double

            public init(name: String, unit: String, dense: Double) {
                self.name = name
                self.unit = unit
                self.dense = dense
            }
        }

        /// Two or three; the first is "accuracy-drop" on the validation data.
        public var objectives: [Objective]
        /// The point, in the objectives' order, that the hypervolume is measured against.
        public var reference: [Double]
        /// The key of the point at the knee; absent where the front has none.
        public var knee: String?
        /// The conditions that a point was chosen under, as given.
        public var conditions: String?

        public init(
            objectives: [Objective], reference: [Double], knee: String? = nil, conditions: String? = nil
        ) {
            self.objectives = objectives
            self.reference = reference
            self.knee = knee
            self.conditions = conditions
        }
    }
}
