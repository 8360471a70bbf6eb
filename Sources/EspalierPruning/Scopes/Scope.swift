package import EspalierTensors

/// How the work of reaching a target is shared between layers (or groups of channels): the order in which
/// things go.
///
/// Everything that may be removed gets a key, and what has the smallest keys is removed until the target is
/// met, whatever it is counted in. Within a layer keys rise with the importance. To add a scope: one new file
/// in `Scopes/` and one line in ``Scopes/all``.
package protocol Scope: Sendable {
    static var information: ScopeInformation { get }

    /// The key of a removal in a layer.
    ///
    /// - Parameters:
    ///   - removed: how many of the layer's things are gone when half of this removal is done: with the least important
    ///     first, r + 1/2 for the single thing with number r, from 0.
    ///   - score: its importance, already normalised for comparison between layers.
    func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double

    /// The scope as it applies to a network: called once for each plan, before anything else.
    ///
    /// - Throws: ``PruningError`` if it does not fit.
    func fitted(
        to groups: PruningGroups, granularity: Granularity
    ) throws(PruningError) -> any Scope

    /// Why it leaves a layer alone; nil if it does not.
    ///
    /// - Parameter name: as ``ScopedLayer/name``.
    func exclusion(of name: String) -> String?

    /// Tells it from other scopes, with whatever it was given.
    var identity: String { get }
}

extension Scope {
    package func fitted(
        to groups: PruningGroups, granularity: Granularity
    ) throws(PruningError) -> any Scope { self }

    package func exclusion(of name: String) -> String? { nil }

    package var information: ScopeInformation { Self.information }

    package var identity: String { information.id }
}

package struct ScopeInformation: Sendable {
    /// As on the command line.
    package let id: String
    package let explanation: String
    package let source: String

    package init(id: String, explanation: String, source: String) {
        self.id = id
        self.explanation = explanation
        self.source = source
    }
}

/// What a scope may know about a layer.
package struct ScopedLayer: Sendable {
    /// The weight's name, or the identifier of the group of channels.
    package let name: String
    /// The number of things that it consists of: elements or units.
    package let size: Int
    /// The shape of its weight; for a group of channels, of the first one that produces them.
    package let shape: Shape

    package init(name: String, size: Int, shape: Shape) {
        self.name = name
        self.size = size
        self.shape = shape
    }
}

/// All scopes that need nothing but a network, one line each.
package enum Scopes {
    package static let all: [any Scope] = [
        UniformScope(),
        GlobalScope(),
        ErdosRenyiScope(),
        KnapsackScope(),
    ]

    /// The scope called `id`.
    ///
    /// - Throws: ``PruningError/unknownScope(_:known:)``.
    package static func scope(_ id: String) throws(PruningError) -> any Scope {
        for scope in all where scope.information.id == id { return scope }
        throw .unknownScope(id, known: all.map { $0.information.id })
    }
}
