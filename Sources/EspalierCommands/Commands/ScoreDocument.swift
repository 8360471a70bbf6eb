import EspalierRuns

/// What `score --json` prints: the record, and beside it the first criterion with its layers.
struct ScoreDocument: Encodable {
    private let record: RunRecord

    init(_ record: RunRecord) {
        self.record = record
    }

    private enum CodingKeys: String, CodingKey {
        case criterion, granularity, layers
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        guard let first = record.scores?.first else { return }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(first.criterion, forKey: .criterion)
        try container.encode(first.granularity, forKey: .granularity)
        try container.encode(first.layers, forKey: .layers)
    }
}
