import EspalierCommands
import Foundation

/// The `espalier` program.
@main
enum EspalierTool {
    static func main() {
        SpinSetting.ensure()
        Interruption.install()
        exit(EspalierCommand.execute(Invocation.process))
    }
}
