import EspalierPruning

/// All criteria explained.
enum CriterionList {
    private struct Document: Encodable {
        struct Entry: Encodable {
            let id: String
            let name: String
            let measures: String
            let misleads: String
            let source: String
            let unit: String
            let granularities: [String]
            let needsData: Bool
        }

        let schemaVersion = 1
        let criteria: [Entry]
    }

    static func tell(on console: Console) throws {
        let entries = Criteria.all.map { type in
            let information = type.information
            return Document.Entry(
                id: information.id, name: information.name, measures: information.measures,
                misleads: information.misleads, source: information.source, unit: information.unit,
                granularities: type.granularities.map(\.rawValue).sorted(),
                needsData: !type.init(seed: 0).requiredEvidence.isEmpty)
        }
        try console.document(Document(criteria: entries))
        for entry in entries {
            console.result(
                """
                \(entry.id) (\(entry.source)\(entry.granularities == ["channel"] ? "; channels only" : ""))
                  measures \(entry.measures)
                  misleads \(entry.misleads)
                """)
        }
    }
}
