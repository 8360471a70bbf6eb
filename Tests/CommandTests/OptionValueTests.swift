import ArgumentParser
import EspalierCommands
import Testing

/// Values of options that several commands take.
struct OptionValueTests {
    @Test(arguments: [
        ("pareto", "element, channel"), ("score", "element, channel"),
        ("sensitivity", "element, block:RxC, channel"),
    ])
    func helpListsGranularitiesThatAreTaken(name: String, kinds: String) throws {
        let command = try #require(
            EspalierCommand.configuration.subcommands.first { $0._commandName == name })
        #expect(EspalierCommand.helpMessage(for: command, columns: 400).contains("(values: \(kinds)"))
        let result = tool(name, "m.onnx", "--data", "digits", "--granularity", "2:4")
        #expect(result.code == 64)
        #expect(result.error.contains("'element'") && !result.error.contains("N:M"), "\(result.error)")
    }

    @Test(arguments: [
        ["prune", "m.onnx", "-o", "n.onnx", "--sparsity", "0.5", "--criterion"],
        ["score", "m.onnx", "--granularity", "element", "--criterion"],
        ["sensitivity", "m.onnx", "--data", "digits", "--criterion"],
        ["pareto", "m.onnx", "--data", "digits", "--granularity", "element", "--criterion"],
        ["pareto", "m.onnx", "--data", "digits", "--granularity", "element", "--iterative-criterion"],
        ["compare", "m.onnx", "--data", "digits", "--sparsities", "0.5", "--criteria"],
        ["robustness", "m.onnx", "--data", "digits", "--sparsities", "0.5", "--criterion"],
        ["lottery", "--arch", "lenet-300-100", "--data", "digits", "--criterion"],
    ])
    func criteriaAreCheckedAlike(arguments: [String]) throws {
        let option = try #require(arguments.last)
        let unknown = tool(arguments + ["taste"])
        #expect(unknown.code == 64)
        #expect(unknown.error.contains("\(option) taste is none of magnitude, "), "\(unknown.error)")
        let other = tool(arguments + ["fpgm"])
        #expect(other.code == 64)
        #expect(
            other.error.contains("\(option) fpgm is for channel granularity, not element"), "\(other.error)")
    }

    @Test(arguments: [
        (
            ["lottery", "--arch", "lenet-300-100", "--data", "digits", "--methods"],
            "winning, reinit, random-mask, "
        ),
        (["pareto", "m.onnx", "--data", "digits", "--methods"], "lagrangian, budget, l0, "),
        (["robustness", "m.onnx", "--data", "digits", "--attacks"], "pgd, fgsm, noise"),
        (["robustness", "m.onnx", "--data", "digits", "--certificates"], "lipschitz, lipschitz-pairs, "),
    ])
    func listsOfNamesTellTheKnownOnes(command: [String], known: String) {
        let first = known.prefix { $0 != "," }
        for list in ["magic", "\(first),magic"] {
            let unknown = tool(command + [list])
            #expect(unknown.code == 64)
            #expect(unknown.error.contains("magic is none of \(known)"), "\(unknown.error)")
            #expect(unknown.error.contains("for all of them say all"))
        }
        for list in [",", "\(first),\(first)"] {
            let result = tool(command + [list])
            #expect(result.code == 64)
            #expect(result.error.contains("name each once"), "\(result.error)")
        }
        #expect(tool(command + ["all", "--seeds", "nonsense"]).error.contains("'nonsense'"))
    }

    /// One cost, or two, can be wanted small: never all.
    @Test func objectivesAreOneOrTwo() {
        func refusal(_ list: String) -> String {
            let result = tool("pareto", "m.onnx", "--data", "digits", "--objectives", list)
            #expect(result.code == 64)
            return result.error
        }
        for name in ["magic", "all", "accuracy-drop"] {
            let error = refusal("macs,\(name)")
            #expect(
                error.contains("\(name) is none of macs, parameters, bytes, latency, lipschitz"), "\(error)")
            #expect(!error.contains("say all"))
        }
        for list in ["macs,macs", "macs,bytes,latency", ","] {
            #expect(refusal(list).contains("name one, or two with a comma between them"), "\(list)")
        }
    }

    @Test(arguments: [
        ["prune", "m.onnx", "-o", "n.onnx", "--sparsity", "0.5"],
        ["compare", "m.onnx", "--data", "digits", "--sparsities", "0.5", "--criteria", "magnitude"],
        ["robustness", "m.onnx", "--data", "digits", "--sparsities", "0.5"],
    ])
    func scopesAreCheckedAlike(arguments: [String]) {
        let unknown = tool(arguments + ["--scope", "magic"])
        #expect(unknown.code == 64)
        #expect(unknown.error.contains("'magic' is invalid"), "\(unknown.error)")
        for name in ["uniform", "global", "erk", "knapsack"] { #expect(unknown.error.contains(name)) }
    }

    @Test func allMethodsOfParetoAreMeant() {
        let result = tool(
            "pareto", "m.onnx", "--data", "digits", "--methods", "all", "--granularity", "element")
        #expect(result.code == 64)
        #expect(result.error.contains("l0 and from-scratch go with channel granularity"), "\(result.error)")
    }

    /// What a training option is without a word differs between commands: each tells its own.
    @Test(arguments: [
        ("train", "64", "0.002 for adam,"), ("prune", "64", "0.002 for adam,"),
        ("finetune", "64", "0.0005 for adam,"), ("lottery", "60", "0.0012 for adam,"),
    ])
    func helpTellsWhatTrainingTakes(name: String, batchSize: String, rate: String) throws {
        let command = try #require(
            EspalierCommand.configuration.subcommands.first { $0._commandName == name })
        let help = EspalierCommand.helpMessage(for: command, columns: 400)
        #expect(help.contains("Samples in a step; without it \(batchSize)."))
        #expect(help.contains(rate))
    }

    @Test(arguments: ["1", "0.5,1", "-0.1", "nan", "x", "0.5,,0.9"])
    func listsOfSharesTellTheirRange(list: String) {
        let pareto = ["pareto", "m.onnx", "--data", "digits"]
        for arguments in [
            ["compare", "m.onnx", "--data", "digits", "--criteria", "magnitude", "--sparsities=\(list)"],
            ["robustness", "m.onnx", "--data", "digits", "--sparsities=\(list)"],
            ["sensitivity", "m.onnx", "--data", "digits", "--sparsities=\(list)"],
            ["lottery", "m.onnx", "--data", "digits", "--others-at=\(list)"], pareto + ["--budgets=\(list)"],
        ] {
            let result = tool(arguments)
            #expect(result.code == 64)
            #expect(result.error.contains("give shares from 0 to below 1"), "\(result.error)")
        }
        let rates = tool("redundancy", "m.onnx", "--data", "digits", "--rates=\(list == "1" ? "1.5" : "2")")
        #expect(rates.code == 64 && rates.error.contains("give shares from 0 to 1"), "\(rates.error)")
    }
}
