import EspalierPruning
import Synchronization

/// Evidence that several trials use: each kind of pass over the data is made once for a network, for all the criteria of
/// the comparison that need anything of it.
///
/// Trials that ask while it is being measured wait: they need the same, and one lane is enough to measure it.
final class EvidenceShelf: Sendable {
    /// What is measured together, on one network with one seed.
    struct Key: Hashable {
        let network: String
        let kinds: Set<EvidenceKind>
    }

    private final class Slot: Sendable {
        let evidence = Mutex<Evidence?>(nil)
    }

    private let kinds: Set<EvidenceKind>
    private let slots = Mutex<[(key: Key, slot: Slot)]>([])
    /// Networks whose evidence is kept: those that lanes are at, when trials come network by network.
    private let networksKept: Int

    /// - Parameter kinds: all that any of the criteria needs.
    init(_ kinds: Set<EvidenceKind>, networksKept: Int = 2) {
        self.kinds = kinds
        self.networksKept = networksKept
    }

    /// The evidence of `wanted` kinds, and what is measured beside them.
    ///
    /// - Parameters:
    ///   - network: names the network and all that its evidence depends on.
    ///   - measure: makes one pass for some kinds.
    func evidence(
        _ wanted: Set<EvidenceKind>, of network: String, measure: (Set<EvidenceKind>) throws -> Evidence
    ) throws -> Evidence {
        var result = Evidence()
        let passes = EvidencePasses.dataFree.map { $0.kinds } + EvidencePasses.all.map { $0.kinds }
        for together in passes.map({ $0.intersection(kinds) }) where !together.isDisjoint(with: wanted) {
            let slot = slot(Key(network: network, kinds: together))
            result.merge(
                try slot.evidence.withLock { evidence in
                    if let evidence { return evidence }
                    let measured = try measure(together)
                    evidence = measured
                    return measured
                })
        }
        return result
    }

    private func slot(_ key: Key) -> Slot {
        slots.withLock { slots in
            if let known = slots.first(where: { $0.key == key }) { return known.slot }
            var networks: [String] = []
            for entry in slots where !networks.contains(entry.key.network) {
                networks.append(entry.key.network)
            }
            if !networks.contains(key.network), networks.count >= networksKept {
                slots.removeAll { $0.key.network == networks[0] }
            }
            let slot = Slot()
            slots.append((key, slot))
            return slot
        }
    }
}
