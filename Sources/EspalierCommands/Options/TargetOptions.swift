import ArgumentParser
import EspalierPruning

/// How far to prune.
struct TargetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Share of the prunable parameters to remove.", valueName: "share"))
    var sparsity: Double?

    @Option(help: ArgumentHelp("Share of the multiply-accumulates to keep at most.", valueName: "share"))
    var maxMacs: Double?

    @Option(help: ArgumentHelp("Share of the parameters to keep at most.", valueName: "share"))
    var maxParameters: Double?

    @Option(
        help: ArgumentHelp(
            "Milliseconds that one inference may take at most, predicted from a profile measured on this machine.",
            valueName: "ms"))
    var targetLatency: Double?

    func validate() throws {
        if let sparsity, !(0..<1).contains(sparsity) {
            throw ValidationError("--sparsity is a share from 0 to below 1")
        }
        for (name, value) in [("--max-macs", maxMacs), ("--max-parameters", maxParameters)] {
            if let value, !(value > 0 && value <= 1) {
                throw ValidationError("\(name) is a share above 0 and up to 1")
            }
        }
        if let targetLatency, !(targetLatency > 0 && targetLatency.isFinite) {
            throw ValidationError("--target-latency is a time in milliseconds")
        }
    }

    /// Without a latency, whose cost must be measured first.
    var targets: [PruningTarget] {
        [
            sparsity.map(PruningTarget.sparsity), maxMacs.map(PruningTarget.maxMultiplyAccumulates),
            maxParameters.map(PruningTarget.maxParameters),
        ].compactMap { $0 }
    }
}
