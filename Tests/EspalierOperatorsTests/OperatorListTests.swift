import EspalierGraphs
import EspalierOperators
import Foundation
import Testing

/// The table of operators in `docs/onnx.md` is the catalog's.
struct OperatorListTests {
    /// The names in a column of the table: 1 has all operators, 2 those without a gradient.
    private static func names(inColumn column: Int) throws -> [String] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/onnx.md")
        let text = try String(contentsOf: page.standardized, encoding: .utf8)
        let sections = text.components(separatedBy: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix("Operators\n") })
        var names: [String] = []
        for line in section.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { String($0) }
            try #require(cells.count == 3, "\(line)")
            for (place, part) in cells[column].components(separatedBy: "`").enumerated() where place % 2 == 1
            {
                names.append(part)
            }
        }
        return names.sorted()
    }

    private static func names(of types: [any Operator.Type]) -> [String] {
        Set(types.flatMap { type in type.schemas.map { $0.name.type } }).sorted()
    }

    @Test func thePageListsTheCatalog() throws {
        #expect(try Self.names(inColumn: 1) == Self.names(of: Catalog.operators))
    }

    @Test func thePageSaysWhatHasNoGradient() throws {
        let others = Catalog.operators.filter { !($0 is any Differentiable.Type) }
        #expect(try Self.names(inColumn: 2) == Self.names(of: others))
    }
}
