import ArgumentParser
import EspalierPruning

/// How layers share a removal, as an option.
struct ScopeName: ExpressibleByArgument {
    let scope: any Scope

    init?(argument: String) {
        guard let scope = Scopes.all.first(where: { $0.information.id == argument }) else { return nil }
        self.scope = scope
    }

    static var allValueStrings: [String] { Scopes.all.map { $0.information.id } }
    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
