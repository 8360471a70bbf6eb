internal import EspalierTensors
import Synchronization

extension Dataset {
    /// 16 hexadecimal digits which tell data sets apart: 64-bit FNV-1a over names, types, shapes, values and labels.
    ///
    /// A resumed run compares it with the recorded one. It guards against mistakes, not against forgery. Costs one
    /// pass over all bytes, about a second per gigabyte, the first time.
    public var fingerprint: String { fingerprintCache.value { computedFingerprint } }

    private var computedFingerprint: String {
        var hash = FNV1a()
        for input in inputs {
            hash.add(input.name)
            hash.add(input.values)
        }
        switch labels {
        case .none: hash.add("none")
        case .classes(let classes, let count):
            hash.add("classes \(count)")
            classes.withUnsafeBytes { hash.add($0) }
        case .targets(let targets):
            hash.add("targets")
            hash.add(targets)
        }
        return hash.text
    }
}

/// What a data set's copies know of its fingerprint.
final class FingerprintCache: Sendable {
    private let known = Mutex<String?>(nil)

    func value(_ compute: () -> String) -> String {
        known.withLock { known in
            if let known { return known }
            let value = compute()
            known = value
            return value
        }
    }
}
