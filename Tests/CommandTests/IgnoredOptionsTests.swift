import ArgumentParser
import EspalierCommands
import Testing

/// Options that would say nothing are refused, with why.
struct IgnoredOptionsTests {
    private static let prune = ["prune", "m.onnx", "--sparsity", "0.5", "-o", "n.onnx"]
    private static let dead = ["prune", "m.onnx", "--dead-units", "--data", "digits", "-o", "n.onnx"]
    private static let compare = [
        "compare", "m.onnx", "--data", "digits", "--criteria", "magnitude", "--sparsities", "0.5",
    ]
    private static let lottery = ["lottery", "m.onnx", "--data", "digits"]
    private static let pareto = ["pareto", "m.onnx", "--data", "digits"]

    private func check(_ arguments: [String], _ words: String) {
        let result = tool(arguments)
        #expect(result.code == 64, "\(arguments)")
        #expect(result.error.contains(words), "\(arguments): \(result.error)")
    }

    @Test(arguments: [
        ["--finetune-epochs", "2"], ["--learning-rate", "0.1"], ["--batch-size", "8"],
        ["--distillation", "0.3"], ["--temperature", "3"], ["--adversarial", "4/255"],
        ["--spectral-penalty", "0.1"], ["--learning-rate-schedule", "one-cycle"],
    ])
    func withoutDataNothingIsRepaired(options: [String]) {
        check(Self.prune + options, "say how to repair, which needs --data")
        check(Self.dead + options, "--dead-units cuts what is constant")
    }

    @Test func withoutEpochsNothingIsRepaired() {
        check(Self.prune + ["--data", "digits", "--finetune-epochs", "0", "--clip", "1"], "repairs nothing")
        check(Self.prune + ["--evidence-samples", "9"], "--evidence-samples are some of --data")
    }

    @Test(arguments: [
        ["--criterion", "magnitude"], ["--granularity", "channel"], ["--scope", "uniform"],
        ["--minimum-kept", "0.5"], ["--first-and-last"], ["--aggregation", "max"],
        ["--evidence-samples", "9"],
    ])
    func deadUnitsAreNotChosen(options: [String]) {
        check(Self.dead + options, "--dead-units cuts what is constant")
    }

    @Test func sharesOfPenaltiesNeedAPenalty() {
        let repaired = Self.prune + ["--data", "digits", "--penalty-share", "0.5"]
        check(repaired, "--penalty-share are for --method lagrangian")
        check(repaired + ["--method", "set"], "--penalty-share are for --method lagrangian")
    }

    @Test func modelsAreTakenAsTheyAre() {
        for options in [["--epochs", "8"], ["--activation", "relu"]] {
            check(Self.compare + options, "for networks of --arch")
        }
        for options in [["--activation", "relu"], ["--initialization", "glorot"]] {
            check(Self.lottery + options, "for networks of --arch")
        }
    }

    @Test func pricesAndBudgetsHaveTheirMethods() {
        check(Self.pareto + ["--methods", "budget", "--lambdas", "1,2"], "--lambdas are the prices")
        check(
            Self.pareto + ["--methods", "lagrangian", "--budgets", "0.5"], "--budgets are for other methods")
    }

    @Test func momentumIsForGradientDescent() {
        let train = ["train", "--arch", "tiny-cnn", "--data", "digits", "-o", "n.onnx"]
        for options in [["--momentum", "0.9"], ["--nesterov"], ["--optimizer", "adam", "--nesterov"]] {
            check(train + options, "are for --optimizer sgd")
        }
        let descent = train + ["--optimizer", "sgd"]
        check(descent + ["--momentum", "0", "--nesterov"], "--nesterov needs a momentum")
        for momentum in ["1", "-0.1", "nan"] {
            check(descent + ["--momentum=\(momentum)"], "--momentum must be from 0 to below 1")
        }
    }

    @Test func warmUpIsAPartOfATraining() {
        let tune = ["finetune", "m.onnx", "--data", "digits", "-o", "n.onnx", "--epochs", "2", "--warm-up"]
        check(tune + ["2"], "below the number of epochs, 2")
        check(tune + ["0"], "--warm-up must be positive")
        check(tune + ["1", "--schedule", "one-cycle"], "one-cycle rises by itself")
        check(
            ["train", "--arch", "tiny-cnn", "--data", "digits", "-o", "n.onnx", "--warm-up", "1"],
            "one-cycle rises by itself")
        check(Self.lottery + ["--warm-up", "8"], "below the number of epochs, 8")
        check(Self.prune + ["--data", "digits", "--warm-up", "4"], "below the number of epochs, 4")
        check(Self.compare + ["--warm-up", "0.5"], "below the number of epochs, 0")
        check(Self.pareto + ["--warm-up", "4"], "below the number of epochs, 4")
        check(
            ["sensitivity", "m.onnx", "--data", "digits", "--repair-samples", "9", "--warm-up", "1"],
            "below the number of epochs, 1")
    }

    @Test func pointsAreTrainedOnSamples() {
        check(
            ["sensitivity", "m.onnx", "--data", "digits", "--learning-rate", "0.1"], "needs --repair-samples")
    }

    @Test func sharesThatNoRoundLeavesAreRefused() throws {
        let arguments = [
            "lottery", "--arch", "lenet-300-100", "--data", "digits", "--rounds", "2", "--prune-rate", "0.5",
            "--others-at",
        ]
        check(arguments + ["0.5,0.1"], "--rounds 2 leave 25.0 % or more")
        // The output layer, of which less goes, makes the rest of the difference.
        let folder = try TemporaryFolder()
        let result = tool(arguments + ["0.19", "--store", folder("runs.sqlite"), "--quiet"])
        #expect(result.code == 1 && result.error.contains("give more --rounds"), "\(result.error)")
    }

    @Test(arguments: [
        "prune m.onnx --sparsity 0.5 -o n.onnx --finetune-epochs 0",
        "prune m.onnx --sparsity 0.5 -o n.onnx --data digits --finetune-epochs 2 --distillation 0.3",
        "prune m.onnx --sparsity 0.5 --data digits --learning-rate 0.1 --dry-run",
        "prune m.onnx --dead-units --data digits --keep fc1 --finetune-epochs 0 -o n.onnx",
        "compare --arch tiny-cnn --epochs 8 --activation gelu --data digits --criteria all --sparsities 0.5",
        "pareto m.onnx --data digits --lambdas 1,2 --budgets 0.5",
        "sensitivity m.onnx --data digits --repair-samples 100 --learning-rate 0.1 --warm-up 0.5",
        "train --arch tiny-cnn --data digits --optimizer sgd --momentum 0.8 --nesterov -o n.onnx",
        "train --arch tiny-cnn --data digits --schedule step --warm-up 0.5 -o n.onnx",
        "compare --arch tiny-cnn --data digits --criteria all --sparsities 0.5 --finetune-epochs 2 --warm-up 1",
    ])
    func whatIsNotIgnoredIsTaken(line: String) {
        #expect(throws: Never.self) {
            _ = try EspalierCommand.parseAsRoot(line.split(separator: " ").map { String($0) })
        }
    }
}
