package import ArgumentParser
import Espalier
import Foundation

/// The root of the command line: `espalier COMMAND MODEL [options]`.
package struct EspalierCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "espalier",
        abstract: "Prunes trained neural networks, repairs and verifies them, and runs them fast on CPUs.",
        discussion: """
            A model is an ONNX file. Every command takes --help, which ends with examples.
            """,
        version: EspalierVersion.current,
        subcommands: [
            Inspect.self, Train.self, FineTune.self, Prune.self, Score.self, Compare.self, Pareto.self,
            Lottery.self,
            Evaluate.self, RunModel.self, Verify.self, Sensitivity.self, Redundancy.self, RenderReport.self,
            Robustness.self, Runs.self,
            Bench.self, Doctor.self, Theory.self,
        ])

    package init() {}

    /// Parses and runs what `invocation` says.
    ///
    /// - Returns: the exit code: 0 done, 1 failed, 64 for wrong usage, 130 interrupted.
    package static func execute(_ invocation: Invocation) -> Int32 {
        let code: Int32 = Invocation.$current.withValue(invocation) {
            do {
                var command = try parseAsRoot(invocation.arguments)
                try command.run()
                return ExitCode.success.rawValue
            } catch {
                return tell(error, invocation)
            }
        }
        guard let problem = invocation.outputFailure() else { return code }
        invocation.error("Error: standard output cannot be written: \(problem)\n")
        return code == ExitCode.success.rawValue ? ExitCode.failure.rawValue : code
    }

    /// Says what is wrong on standard error or, if help was asked for, what was asked on standard output.
    private static func tell(_ error: any Error, _ invocation: Invocation) -> Int32 {
        let code = exitCode(for: error)
        if code == .success {
            invocation.output(fullMessage(for: error) + "\n")
        } else if code == .validationFailure {
            invocation.error(fullMessage(for: error) + "\n")
        } else if !(error is ExitCode) {
            invocation.error("Error: \(text(of: error))\n")
        } else if code == Interruption.exitCode {
            invocation.error("interrupted\n")
        }
        return code.rawValue
    }

    /// Foundation's errors describe themselves with domains and codes, which help nobody.
    private static func text(of error: any Error) -> String {
        if type(of: error) is NSError.Type || error is CocoaError { return error.localizedDescription }
        return "\(error)"
    }
}
