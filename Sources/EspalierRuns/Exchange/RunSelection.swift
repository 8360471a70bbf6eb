/// Which of a store's records and trials are meant: `12`, `3-7,9`, `1a2b3c4d` (an experiment by at least four digits of
/// its hash), `1a2b3c4d:dense/*` (those of its trials whose keys match; `*` stands for anything), each with a name in
/// front if wanted: `taylor=3-7`.
package struct RunSelection: Sendable, Equatable {
    /// What the user calls it; as typed without a name.
    package let name: String
    package let part: Part

    package enum Part: Sendable, Equatable {
        case records([Int64])
        /// An experiment, and the pattern of its trials' keys; nil for the whole.
        case trials(hash: String, pattern: String?)
    }

    /// - Throws: ``StoreError`` `malformed`, or what ``RunStore/experiment(hashPrefix:)`` throws.
    package init(_ text: String, in store: RunStore) throws(StoreError) {
        var rest = Substring(text)
        // A name ends at the first "=", unless that belongs to a trial's key.
        if let equals = text.firstIndex(of: "="), !text[..<equals].contains(":") {
            name = String(text[..<equals])
            rest = text[text.index(after: equals)...]
        } else {
            name = text
        }
        if let ids = Self.ids(rest) {
            part = .records(ids)
            return
        }
        let colon = rest.firstIndex(of: ":")
        let prefix = rest[..<(colon ?? rest.endIndex)]
        guard prefix.count >= 4, prefix.allSatisfy(\.isHexDigit) else {
            throw StoreError(
                .malformed, text,
                "is neither numbers of records (3, 3-7,9) nor an experiment (at least four digits of its hash, and "
                    + "perhaps :KEY); 'espalier runs list' shows both")
        }
        part = .trials(
            hash: try store.experiment(hashPrefix: String(prefix)).hash,
            pattern: colon.map { String(rest[rest.index(after: $0)...]) })
    }

    package func contains(_ trial: StoredTrial, record: StoredRecord?) -> Bool {
        switch part {
        case .records(let ids): record.map { ids.contains($0.id) } ?? false
        case .trials(let hash, let pattern):
            trial.experimentHash == hash && (pattern.map { Self.matches(trial.key, $0) } ?? true)
        }
    }

    package func contains(_ record: StoredRecord) -> Bool {
        switch part {
        case .records(let ids): ids.contains(record.id)
        case .trials(let hash, let pattern):
            record.trial.map { trial in
                trial.experimentHash == hash && (pattern.map { Self.matches(trial.key, $0) } ?? true)
            } ?? false
        }
    }

    /// `3-7,9` as numbers, at most a million; nil if it is something else. Eight digits and more are a hash.
    private static func ids(_ text: Substring) -> [Int64]? {
        var ids: [Int64] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            let numbers = ends.compactMap { end in
                end.allSatisfy { $0.isASCII && $0.isNumber } && end.count < 8 ? Int64(end) : nil
            }
            guard (1...2).contains(ends.count), numbers.count == ends.count, let first = numbers.first,
                let last = numbers.last, first <= last, last - first < 1_000_000
            else { return nil }
            ids += Array(first...last).filter { !ids.contains($0) }
        }
        return ids
    }

    /// Whether a key fits a pattern in which `*` stands for any characters, also none.
    package static func matches(_ key: String, _ pattern: String) -> Bool {
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard pieces.count > 1, let first = pieces.first, let last = pieces.last else {
            return key == pattern
        }
        guard key.hasPrefix(first), key.hasSuffix(last), key.count >= first.count + last.count else {
            return false
        }
        var rest = key.dropFirst(first.count).dropLast(last.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let range = rest.firstRange(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }
}

extension RunStore {
    /// The records that are meant, oldest first; trials without a result have none.
    ///
    /// - Throws: ``StoreError`` `missing` if there is none.
    package func records(_ selection: RunSelection) throws(StoreError) -> [StoredRecord] {
        if case .records(let ids) = selection.part { return try records(ids: ids) }
        let chosen = try records().filter(selection.contains)
        guard !chosen.isEmpty else {
            throw StoreError(.missing, path, "'\(selection.name)' has no result yet")
        }
        return chosen
    }
}
