import ArgumentParser
import EspalierCommands
import Foundation
import Testing

/// The scripts by which shells complete what is typed.
struct CompletionTests {
    @Test(arguments: ["bash", "zsh", "fish"])
    func scriptsNameTheCommands(shell: String) throws {
        let result = try Program.run(["--generate-completion-script", shell])
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output.contains("prune"))
        for command in EspalierCommand.configuration.subcommands {
            let name = command._commandName
            #expect(result.output.contains(name), "\(name)")
        }
    }

    @Test func bashReadsItsScript() throws {
        let folder = try TemporaryFolder()
        let script = try Program.run(["--generate-completion-script", "bash"])
        try Data(script.output.utf8).write(to: URL(filePath: folder("completions.bash")))
        let check = try Program.run(URL(filePath: "/bin/bash"), ["-n", folder("completions.bash")])
        #expect(check.code == 0 && check.error.isEmpty, "\(check.error)")
    }
}
