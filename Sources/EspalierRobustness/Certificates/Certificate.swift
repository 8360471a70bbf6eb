package import EspalierOperators

/// A kind of certificate that one can ask for by name.
package struct Certificate: Sendable {
    /// As in tables and on the command line.
    package let name: String
    /// What it rests on, in a line.
    package let explanation: String
    /// The norms that it is for.
    package let norms: [VectorNorm]
    /// Whether it is taken where none is named.
    package let isUsual: Bool
    /// Makes the certifier of a network.
    ///
    /// It throws ``RobustnessError`` where the network is none that it can say anything about.
    package let certifier: @Sendable (CertifiedNetwork, VectorNorm) throws -> any Certifier

    package init(
        name: String, explanation: String, norms: [VectorNorm] = VectorNorm.allCases,
        isUsual: Bool = true,
        certifier: @escaping @Sendable (CertifiedNetwork, VectorNorm) throws -> any Certifier
    ) {
        self.name = name
        self.explanation = explanation
        self.norms = norms
        self.isUsual = isUsual
        self.certifier = certifier
    }

    /// All kinds, the cheapest first.
    package static let all = [
        Certificate(
            name: "lipschitz",
            explanation:
                "the margin, divided by the network's Lipschitz constant times sqrt 2 (l-infinity: 2)",
            certifier: { try $0.lipschitzCertifier($1) }),
        Certificate(
            name: "lipschitz-pairs",
            explanation:
                "the same for each pair of classes, by the difference of their rows of the last layer",
            certifier: { try $0.pairCertifier($1) }),
        relaxation(
            .intervals, "intervals carried forward, the last layer's with the difference of two classes' rows"
        ),
        relaxation(.crown, "linear bounds carried back, or intervals where those are tighter"),
        relaxation(
            .optimizedCrown(steps: 20), isUsual: false,
            "the same, with slopes searched for each pair of classes by 20 gradient steps"),
    ]

    private static func relaxation(
        _ method: RelaxationCertifier.Method, isUsual: Bool = true, _ explanation: String
    ) -> Certificate {
        Certificate(name: method.name, explanation: explanation, isUsual: isUsual) { network, norm in
            try RelaxationCertifier(
                network.graph, dataset: network.dataset, units: network.units, norm: norm, method: method,
                lane: network.attacked.lane)
        }
    }
}
