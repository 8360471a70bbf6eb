internal import EspalierTensors
import Synchronization

extension Dataset {
    /// 16 hexadecimal digits which tell data sets apart: 64-bit FNV-1a over names, types, shapes, values and labels.
    ///
    /// A resumed run compares it with the recorded one. It guards against mistakes, not against forgery. Costs one
    /// pass over all bytes, about a second per gigabyte, the first time.
    public var fingerprint: String { fingerprintCache.value { computedFingerprint } }

    /// What results on these data depend on: ``fingerprint``, and what was done to the values before, by which perturbations
    /// are measured and shifted images filled up. Equal values can come from different preparations.
    package var identity: String {
        var hash = FNV1a()
        hash.add(fingerprint)
        hash.add(preprocessing.layout.rawValue)
        for list in [[preprocessing.scale], preprocessing.mean, preprocessing.standardDeviation] {
            hash.add("\(list)")
        }
        return hash.text
    }

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
