import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension ConformanceCase {
    /// Every case the suite runs on.
    static let all = declared + standard

    /// Every case of every family; one line per file in this folder.
    static let declared: [ConformanceCase] = [
        functions,
        arithmetic,
        logic,
        linear,
        movement,
        normalization,
        pooling,
        reduction,
    ].flatMap { $0 }

    /// A case for each elementwise operator that has none of its own: what such an operator takes is known. ONNX
    /// Runtime's outputs are not kept for them; the official node tests tell whether they are right.
    private static let standard: [ConformanceCase] = {
        let names = Set(declared.map(\.operatorName))
        return Catalog.operators.flatMap { type -> [ConformanceCase] in
            let operands = type is any UnaryElementwise.Type ? 1 : type is any BinaryElementwise.Type ? 2 : 0
            guard operands > 0 else { return [] }
            return type.schemas.filter { !names.contains($0.name) }.map { schema in
                ConformanceCase(
                    "\(schema.name), standard case", schema.name.type, domain: schema.name.domain,
                    opset: min(max(17, schema.versions.lowerBound), schema.versions.upperBound),
                    inputs: (0..<operands).map { _ in .activation([2, 3, 4], .distinct(-2...2)) })
            }
        }
    }()
}
