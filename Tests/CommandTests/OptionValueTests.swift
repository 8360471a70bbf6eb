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
