import EspalierTensors

/// Scores that are compared within rows, made comparable between them: each is replaced by the share of its row that is
/// smaller. Whatever is removed by them falls on all rows alike.
enum RowRanks {
    /// - Parameter rowAxis: along which the rows lie; nil if all is one row.
    static func ranks(of scores: [Float], shape: Shape, rowAxis: Int?) -> [Float] {
        guard let axis = rowAxis, shape.rank > axis else {
            return ScoreNormalization.ranks(scores.map { Double($0) }).map { Float($0) }
        }
        let inner = shape.strides[axis]
        var result = scores
        for row in 0..<shape[axis] {
            let positions = (0..<shape.count(0..<axis)).flatMap { outer -> Range<Int> in
                let start = (outer * shape[axis] + row) * inner
                return start..<(start + inner)
            }
            let ranks = ScoreNormalization.ranks(positions.map { Double(scores[$0]) })
            for (position, rank) in zip(positions, ranks) { result[position] = Float(rank) }
        }
        return result
    }
}
