import ArgumentParser
import Espalier
import EspalierOperators
import EspalierRobustness

/// What is proven and tried: options of `robustness`.
struct RobustnessOptions: ParsableArguments {
    @Option(help: "How changes of inputs are measured.")
    var norm: VectorNorm = .euclidean

    @Option(
        help: ArgumentHelp(
            "Radii, of inputs from 0 to 1; fractions are understood. Without it 0, 0.02, 0.05, 0.1, 0.2 and 0.5 for l2, and 0, "
                + "1/255, 2/255, 4/255 and 8/255 for l-infinity.",
            valueName: "e1,e2,..."))
    var epsilons: RadiusList?

    @Option(
        help: ArgumentHelp(
            "Certificates, separated by commas, or all; without it all but crown-optimized.",
            valueName: "name,..."),
        completion: .list(Certificate.all.map(\.name)), transform: NameList<Certificate>.read)
    var certificates: NameList<Certificate>?

    @Option(
        help: ArgumentHelp(
            "Attacks, separated by commas, or all; see above; without it all.", valueName: "name,..."),
        completion: .list(AttackKind.all.map(\.name)), transform: NameList<AttackKind>.read)
    var attacks = NameList<AttackKind>(AttackKind.all)

    @Option(help: ArgumentHelp("Gradients of pgd along one way.", valueName: "n"))
    var steps: Int = AttackKind.Effort().steps

    @Option(help: ArgumentHelp("Random starts of pgd.", valueName: "n"))
    var restarts: Int = AttackKind.Effort().restarts

    @Option(
        help: ArgumentHelp(
            "Test samples to measure on, drawn so that classes keep their shares; 0 for all.", valueName: "n")
    )
    var samples: Int = 1000

    func validate() throws {
        guard steps > 0, restarts >= 0, samples >= 0 else {
            throw ValidationError("--steps must be positive, --restarts and --samples not negative")
        }
        for certificate in certificates?.values ?? [] where !certificate.norms.contains(norm) {
            throw ValidationError(
                "--certificates \(certificate.name) is for \(certificate.norms.map(\.rawValue).joined(separator: ", "))"
            )
        }
    }

    func measurement(seed: UInt64) -> RobustnessMeasurement {
        let usual: [Double] =
            norm == .euclidean
            ? [0, 0.02, 0.05, 0.1, 0.2, 0.5] : [0, 1.0 / 255, 2.0 / 255, 4.0 / 255, 8.0 / 255]
        return RobustnessMeasurement(
            norm: norm, epsilons: epsilons?.values ?? usual,
            certificates: certificates?.values
                ?? Certificate.all.filter { $0.isUsual && $0.norms.contains(norm) },
            attacks: attacks.values, effort: .init(steps: steps, restarts: restarts), sampleCount: samples,
            seed: seed)
    }

    static var explanation: String {
        let certificates = Certificate.all.map { "  \($0.name): \($0.explanation)" }
        let attacks = AttackKind.all.map { "  \($0.name): \($0.explanation)" }
        return (["CERTIFICATES"] + certificates + ["", "ATTACKS"] + attacks).joined(separator: "\n")
    }
}

extension VectorNorm: ExpressibleByArgument {}

/// Radii separated by commas, such as `0,1/255,0.1`.
struct RadiusList: ExpressibleByArgument {
    /// Ascending, each once.
    let values: [Double]

    init?(argument: String) {
        let values = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Radius.number($0)
        }
        guard values.allSatisfy({ $0.map { $0 >= 0 && $0.isFinite } ?? false }) else { return nil }
        self.values = Set(values.compactMap { $0 }).sorted()
    }
}

extension Certificate: NamedChoice {
    static var choices: [Certificate] { all }
}

extension AttackKind: NamedChoice {
    static var choices: [AttackKind] { all }
}
