extension RunRecord {
    /// What is proven of networks' robustness and what attacks refute: the result of `robustness`.
    ///
    /// Changes of inputs, and constants per such change, are in units of the values before means were subtracted and deviations
    /// divided by: those of an image from 0 to 1.
    public struct Robustness: Codable, Sendable, Equatable {
        /// `l2` or `l-infinity`: how changes of inputs are measured.
        public var norm: String
        /// The radii that accuracies are told at, ascending.
        public var epsilons: [Double]
        /// Test samples that all networks were measured on.
        public var samples: Int
        /// The names of certificates and attacks, in the order asked for.
        public var certificates: [String]
        public var attacks: [String]
        /// The networks, the one that the others are compared with first. Of a sweep the dense networks.
        public var networks: [RobustNetwork]
        /// Where networks were pruned for it: by criterion, at each sparsity.
        public var sweep: [RobustnessCurve]?

        public init(
            norm: String, epsilons: [Double], samples: Int, certificates: [String], attacks: [String],
            networks: [RobustNetwork], sweep: [RobustnessCurve]? = nil
        ) {
            self.norm = norm
            self.epsilons = epsilons
            self.samples = samples
            self.certificates = certificates
            self.attacks = attacks
            self.networks = networks
            self.sweep = sweep
        }
    }

    /// The robustness of one network: the result of a trial of `robustness`.
    public struct RobustNetwork: Codable, Sendable, Equatable {
        public var name: String
        public var path: String?
        /// On the samples as they are.
        public var accuracy: Double
        public var lipschitz: Lipschitz
        /// The linear layers, in the network's order.
        public var layers: [LayerNorm]
        /// The share of samples that any of the certificates proves at each radius.
        public var certified: [RobustAccuracy]
        /// The share of samples that withstands all attacks of each radius.
        public var attacked: [RobustAccuracy]
        /// By certificate, and by attack.
        public var certificates: [RobustnessMethod]
        public var attacks: [RobustnessMethod]
        /// Of each sample, the output of the right class minus the largest other one.
        public var margins: [Float]
        /// What is different from the network that it is compared with.
        public var change: RobustnessChange?
        /// Certificates that an attack refuted: errors of this program. Absent if there are none, as there should be.
        public var contradictions: [String]?
        /// Certificates that could not be had, with the reasons.
        public var refusals: [Refusal]?

        public init(
            name: String, path: String? = nil, accuracy: Double, lipschitz: Lipschitz, layers: [LayerNorm],
            certified: [RobustAccuracy], attacked: [RobustAccuracy], certificates: [RobustnessMethod],
            attacks: [RobustnessMethod], margins: [Float]
        ) {
            self.name = name
            self.path = path
            self.accuracy = accuracy
            self.lipschitz = lipschitz
            self.layers = layers
            self.certified = certified
            self.attacked = attacked
            self.certificates = certificates
            self.attacks = attacks
            self.margins = margins
        }
    }

    /// By how much outputs move when inputs move by 1, at most.
    public struct Lipschitz: Codable, Sendable, Equatable {
        /// Proven; absent where the network has no constant that is known.
        public var upper: Double?
        /// The largest slope that was found near the samples.
        public var lower: Double

        public init(upper: Double?, lower: Double) {
            self.upper = upper
            self.lower = lower
        }
    }

    /// The norms of a linear layer, batch norm included where it follows.
    public struct LayerNorm: Codable, Sendable, Equatable {
        public var name: String
        /// The largest singular value, from above, and from below.
        public var spectralNorm: Double
        public var lower: Double
        /// The operator norm in l-infinity.
        public var maximumNorm: Double

        public init(name: String, spectralNorm: Double, lower: Double, maximumNorm: Double) {
            self.name = name
            self.spectralNorm = spectralNorm
            self.lower = lower
            self.maximumNorm = maximumNorm
        }
    }

    /// The share of samples that a network gets right whatever changes up to a radius do: proven, or as far as attacks know.
    public struct RobustAccuracy: Codable, Sendable, Equatable {
        public var epsilon: Double
        public var accuracy: Double

        public init(epsilon: Double, accuracy: Double) {
            self.epsilon = epsilon
            self.accuracy = accuracy
        }
    }

    /// What one certificate or one attack says.
    public struct RobustnessMethod: Codable, Sendable, Equatable {
        public var name: String
        public var accuracies: [RobustAccuracy]
        public var seconds: Double
        /// Of linear bounds of neurons and outputs, the share of which intervals alone were tighter; absent where there are none.
        public var intervalsTighter: Double?

        public init(
            name: String, accuracies: [RobustAccuracy], seconds: Double, intervalsTighter: Double? = nil
        ) {
            self.name = name
            self.accuracies = accuracies
            self.seconds = seconds
            self.intervalsTighter = intervalsTighter
        }
    }

    /// What became of margins, of the Lipschitz constant and of the radii that these give, from one network to another.
    ///
    /// Logarithms are natural ones, of what was after divided by what was before. Of every sample that both networks get right,
    /// ``logRadius`` is ``logMargin`` minus ``logLipschitz``.
    public struct RobustnessChange: Codable, Sendable, Equatable {
        /// Samples that both networks get right: those that logarithms are of.
        public var samples: Int
        /// Samples that only the network before gets right, and that only the one after does.
        public var lost: Int
        public var gained: Int
        /// Over samples; absent where there are none.
        public var logMargin: Spread?
        /// The change of the proven constant; absent where there is none.
        public var logLipschitz: Double?
        public var logRadius: Spread?

        public init(
            samples: Int, lost: Int, gained: Int, logMargin: Spread? = nil, logLipschitz: Double? = nil,
            logRadius: Spread? = nil
        ) {
            self.samples = samples
            self.lost = lost
            self.gained = gained
            self.logMargin = logMargin
            self.logLipschitz = logLipschitz
            self.logRadius = logRadius
        }

        /// How values spread over samples.
        public struct Spread: Codable, Sendable, Equatable {
            public var mean: Double
            /// The quartiles.
            public var lower: Double
            public var median: Double
            public var upper: Double

            public init(mean: Double, lower: Double, median: Double, upper: Double) {
                self.mean = mean
                self.lower = lower
                self.median = median
                self.upper = upper
            }
        }
    }

    /// What one criterion does to robustness, by ascending sparsity.
    public struct RobustnessCurve: Codable, Sendable, Equatable {
        public var criterion: String
        public var points: [RobustnessPoint]

        public init(criterion: String, points: [RobustnessPoint]) {
            self.criterion = criterion
            self.points = points
        }
    }

    /// Networks of one criterion at one sparsity, over seeds.
    public struct RobustnessPoint: Codable, Sendable, Equatable {
        public var sparsity: Double
        public var runs: Int
        public var accuracy: OverSeeds
        /// Absent where no constant is known.
        public var lipschitzUpper: OverSeeds?
        public var lipschitzLower: OverSeeds
        public var certified: [RobustAccuracyOverSeeds]
        public var attacked: [RobustAccuracyOverSeeds]
        /// Means over samples of the changes from the dense network, then over seeds; absent where no sample stays right.
        public var logMargin: OverSeeds?
        public var logLipschitz: OverSeeds?
        public var logRadius: OverSeeds?
        /// Norms of the linear layers.
        public var layers: [LayerNormOverSeeds]
        /// Shares of all samples that only the dense network gets right, and that only the pruned one does.
        public var lost: OverSeeds
        public var gained: OverSeeds

        public init(
            sparsity: Double, runs: Int, accuracy: OverSeeds, lipschitzUpper: OverSeeds?,
            lipschitzLower: OverSeeds, certified: [RobustAccuracyOverSeeds],
            attacked: [RobustAccuracyOverSeeds], logMargin: OverSeeds?, logLipschitz: OverSeeds?,
            logRadius: OverSeeds?, layers: [LayerNormOverSeeds], lost: OverSeeds, gained: OverSeeds
        ) {
            self.sparsity = sparsity
            self.runs = runs
            self.accuracy = accuracy
            self.lipschitzUpper = lipschitzUpper
            self.lipschitzLower = lipschitzLower
            self.certified = certified
            self.attacked = attacked
            self.logMargin = logMargin
            self.logLipschitz = logLipschitz
            self.logRadius = logRadius
            self.layers = layers
            self.lost = lost
            self.gained = gained
        }
    }

    /// ``LayerNorm`` over seeds, from above.
    public struct LayerNormOverSeeds: Codable, Sendable, Equatable {
        public var name: String
        public var spectralNorm: OverSeeds
        public var maximumNorm: OverSeeds

        public init(name: String, spectralNorm: OverSeeds, maximumNorm: OverSeeds) {
            self.name = name
            self.spectralNorm = spectralNorm
            self.maximumNorm = maximumNorm
        }
    }

    public struct RobustAccuracyOverSeeds: Codable, Sendable, Equatable {
        public var epsilon: Double
        public var accuracy: OverSeeds

        public init(epsilon: Double, accuracy: OverSeeds) {
            self.epsilon = epsilon
            self.accuracy = accuracy
        }
    }
}
