import ArgumentParser
import EspalierRobustness
import EspalierTraining

/// Training that makes networks robust: shared by `train`, `finetune` and repairs.
struct RobustTrainingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Penalty on the squared largest singular values of the layers, halved, times this.",
            valueName: "weight"))
    var spectralPenalty: Double?

    @Option(
        help: ArgumentHelp(
            "Train on samples that are changed for the worst by at most so much in each value, such as 2/255 or 0.01.",
            valueName: "radius"))
    var adversarial: Radius?

    @Option(
        help: ArgumentHelp(
            "Gradients that --adversarial takes for each batch; without it \(AdversarialTraining.usualSteps), and 1 is fast.",
            valueName: "n"))
    var adversarialSteps: Int?

    func validate() throws {
        guard spectralPenalty.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--spectral-penalty must be positive")
        }
        guard adversarialSteps.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--adversarial-steps must be positive")
        }
        guard adversarial != nil || adversarialSteps == nil else {
            throw ValidationError("--adversarial-steps needs --adversarial")
        }
    }

    var regularizations: [any Regularization] {
        var result: [any Regularization] = []
        if let spectralPenalty { result.append(SpectralPenalty(weight: spectralPenalty)) }
        if let adversarial {
            result.append(
                AdversarialTraining(
                    radius: adversarial.value, steps: adversarialSteps ?? AdversarialTraining.usualSteps))
        }
        return result
    }

    /// As they are given on a command line.
    var arguments: [String] {
        var arguments: [String] = []
        if let spectralPenalty { arguments += ["--spectral-penalty", "\(spectralPenalty)"] }
        if let adversarial { arguments += ["--adversarial", adversarial.text] }
        if let adversarialSteps { arguments += ["--adversarial-steps", "\(adversarialSteps)"] }
        return arguments
    }
}

/// The largest change of a sample, as a number or a fraction: levels of an image's values are told in 255ths.
struct Radius: ExpressibleByArgument {
    let text: String
    let value: Double

    init?(argument: String) {
        guard let value = Self.number(argument[...]), value > 0, value.isFinite else { return nil }
        text = argument
        self.value = value
    }

    /// What a number or a fraction says; nil for anything else.
    static func number(_ text: Substring) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map {
            Double($0.filter { !$0.isWhitespace })
        }
        switch parts.count {
        case 1: return parts[0]
        case 2: return parts[0].flatMap { above in parts[1].flatMap { $0 > 0 ? above / $0 : nil } }
        default: return nil
        }
    }
}
