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

    @Option(help: ArgumentHelp("Share of the bytes of the weights to keep at most.", valueName: "share"))
    var maxBytes: Double?

    func validate() throws {
        if let sparsity, !(0..<1).contains(sparsity) {
            throw ValidationError("--sparsity is a share from 0 to below 1")
        }
        let shares = [
            ("--max-macs", maxMacs), ("--max-parameters", maxParameters), ("--max-bytes", maxBytes),
        ]
        for (name, value) in shares {
            if let value, !(value > 0 && value <= 1) {
                throw ValidationError("\(name) is a share above 0 and up to 1")
            }
        }
    }

    /// Those that need nothing measured first.
    var targets: [PruningTarget] {
        [
            sparsity.map(PruningTarget.sparsity), maxMacs.map(PruningTarget.maxMultiplyAccumulates),
            maxParameters.map(PruningTarget.maxParameters),
            maxBytes.map { PruningTarget.maximum(.bytes, share: $0) },
        ].compactMap { $0 }
    }
}
