import EspalierPruning
import Synchronization

/// Evidence that several trials use: what a criterion needs is measured once for a network, whatever the sparsities.
///
/// It is not measured together with what other criteria need, though passes could be shared: so what a criterion costs does
/// not depend on which others are compared. Trials that ask while it is being measured wait.
final class EvidenceShelf: Sendable {
    /// What is measured together, on one network with one seed.
    struct Key: Hashable {
        let network: String
        let kinds: Set<EvidenceKind>
    }

    private final class Slot: Sendable {
        let evidence = Mutex<Evidence?>(nil)
    }

    private let slots = Mutex<[(key: Key, slot: Slot)]>([])
    /// Networks whose evidence is kept: those that lanes are at, when trials come network by network.
    private let networksKept: Int

    init(networksKept: Int = 2) {
        self.networksKept = networksKept
    }

    /// The evidence of `wanted` kinds.
    ///
    /// - Parameter network: names the network and all that its evidence depends on.
    func evidence(
        _ wanted: Set<EvidenceKind>, of network: String, measure: () throws -> Evidence
    ) throws -> Evidence {
        guard !wanted.isEmpty else { return .none }
        return try slot(Key(network: network, kinds: wanted)).evidence.withLock { evidence in
            if let evidence { return evidence }
            let measured = try measure()
            evidence = measured
            return measured
        }
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
