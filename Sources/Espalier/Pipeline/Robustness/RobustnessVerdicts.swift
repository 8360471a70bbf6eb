import EspalierOperators
import EspalierRobustness
import EspalierRuns

/// What certificates and attacks say of each sample at each radius, as they are asked one after the other.
struct RobustnessVerdicts {
    private let samples: [Int]
    private let epsilons: [Double]
    private let norm: VectorNorm
    private let effort: AttackKind.Effort
    private let seed: UInt64
    /// By radius: for each sample the first certificate that proves it, and the first attack that breaks it.
    private var proofs: [[String?]]
    private var breaks: [[String?]]
    /// By certificate that knows radii of its own: those of all samples.
    private var radii: [(name: String, radii: [Double])] = []
    private(set) var certificates: [RunRecord.RobustnessMethod] = []
    private(set) var attacks: [RunRecord.RobustnessMethod] = []

    init(samples: Int, epsilons: [Double], norm: VectorNorm, effort: AttackKind.Effort, seed: UInt64) {
        self.samples = Array(0..<samples)
        self.epsilons = epsilons
        self.norm = norm
        self.effort = effort
        self.seed = seed
        proofs = epsilons.map { _ in [String?](repeating: nil, count: samples) }
        breaks = proofs
    }

    var certified: [RunRecord.RobustAccuracy] { accuracies(proofs.map { $0.count { $0 != nil } }) }
    var attacked: [RunRecord.RobustAccuracy] { accuracies(breaks.map { $0.count { $0 == nil } }) }

    private func accuracies(_ counts: [Int]) -> [RunRecord.RobustAccuracy] {
        zip(epsilons, counts).map {
            .init(epsilon: $0, accuracy: Double($1) / Double(max(1, samples.count)))
        }
    }

    /// What is not proven within a radius is not tried within a larger one.
    mutating func prove(
        _ certificate: Certificate, _ network: CertifiedNetwork, between: () throws -> Void
    ) throws {
        let start = ContinuousClock.now
        let certifier = try certificate.certifier(network, norm)
        if let certifier = certifier as? LipschitzCertifier {
            radii.append((certifier.name, certifier.radii))
        }
        var open = samples
        var counts: [Int] = []
        for (place, epsilon) in epsilons.enumerated() {
            try between()
            let proven = try certifier.certifies(samples: open, radii: open.map { _ in epsilon })
            open = zip(open, proven).filter { $0.1 }.map { $0.0 }
            for sample in open where proofs[place][sample] == nil {
                proofs[place][sample] = certificate.name
            }
            counts.append(open.count)
        }
        let statistics = (certifier as? RelaxationCertifier)?.statistics
        certificates.append(
            .init(
                name: certificate.name, accuracies: accuracies(counts),
                seconds: (ContinuousClock.now - start) / .seconds(1),
                intervalsTighter: statistics.flatMap { $0.bounds > 0 ? $0.looserShare : nil }))
    }

    /// What is broken within a radius is broken within a larger one.
    mutating func attack(
        _ kind: AttackKind, _ network: CertifiedNetwork, between: () throws -> Void
    ) throws {
        let start = ContinuousClock.now
        let attack = kind.attack(norm, effort)
        var open = samples
        var counts: [Int] = []
        for (place, epsilon) in epsilons.enumerated() {
            try between()
            let broken = try attack.succeeds(
                on: network.attacked, samples: open, radii: open.map { _ in epsilon }, seed: seed)
            open = zip(open, broken).filter { !$0.1 }.map { $0.0 }
            let left = Set(open)
            for sample in samples where !left.contains(sample) && breaks[place][sample] == nil {
                breaks[place][sample] = kind.name
            }
            counts.append(open.count)
        }
        attacks.append(
            .init(
                name: kind.name, accuracies: accuracies(counts),
                seconds: (ContinuousClock.now - start) / .seconds(1)))
    }

    /// Where an attack succeeded within a radius that is proven: at each of the radii, and right at each sample's largest one of
    /// certificates that tell it.
    func contradictions(_ network: CertifiedNetwork) throws -> [String] {
        var found: [String] = []
        for (place, epsilon) in epsilons.enumerated() {
            for sample in samples {
                if let proof = proofs[place][sample], let attack = breaks[place][sample] {
                    found.append(
                        "\(attack) breaks sample \(sample) within \(epsilon), where \(proof) proves it")
                }
            }
        }
        let strongest = ProjectedGradientDescent(
            norm: norm, steps: effort.steps, restarts: effort.restarts)
        let proven = samples.compactMap { sample in
            // An infinite radius leaves nothing to try.
            radii.filter { $0.radii[sample] > 0 && $0.radii[sample].isFinite }
                .max { $0.radii[sample] < $1.radii[sample] }
                .map { (sample: sample, radius: $0.radii[sample], name: $0.name) }
        }
        let broken = try strongest.succeeds(
            on: network.attacked, samples: proven.map(\.sample), radii: proven.map { $0.radius * (1 - 1e-9) },
            seed: seed)
        for (place, _) in zip(proven, broken).filter({ $0.1 }) {
            found.append(
                "pgd breaks sample \(place.sample) within \(place.radius), where \(place.name) proves it")
        }
        return found
    }
}
