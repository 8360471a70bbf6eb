import EspalierTensors
import Testing

/// Where the zeros of a matrix are.
enum SparsePattern: Sendable, CustomTestStringConvertible {
    case anywhere
    /// Blocks of rows and columns that are zero or not as a whole; those at the ends may be incomplete.
    case blocks(Int, Int)
    /// As many nonzeros as the first number in every as many consecutive columns as the second.
    case among(Int, of: Int)

    var testDescription: String {
        switch self {
        case .anywhere: "anywhere"
        case .blocks(let rows, let columns): "\(rows)x\(columns)"
        case .among(let kept, let all): "\(kept):\(all)"
        }
    }

    /// A share of about `density` stays, unless the pattern fixes it.
    func weights(
        rows: Int, columns: Int, density: Double, _ random: inout RandomSource
    ) -> [Float] {
        var weights = random.floats(rows * columns).map { $0 == 0 ? 1 : $0 }
        switch self {
        case .anywhere:
            for index in weights.indices where random.uniform() >= density { weights[index] = 0 }
        case .blocks(let height, let width):
            let across = (columns + width - 1) / width
            let kept = (0..<(rows + height - 1) / height * across).map { _ in random.uniform() < density }
            for index in weights.indices {
                let (row, column) = index.quotientAndRemainder(dividingBy: columns)
                if !kept[row / height * across + column / width] { weights[index] = 0 }
            }
        case .among(let kept, let all):
            for row in 0..<rows {
                for first in stride(from: 0, to: columns, by: all) {
                    let group = (first..<min(first + all, columns)).shuffled(using: &random)
                    for column in group.dropFirst(kept) { weights[row * columns + column] = 0 }
                }
            }
        }
        return weights
    }
}
