package import EspalierGraphs

/// All operators, one line each; nothing else in the package lists them.
package enum Catalog {
    package static let operators: [any Operator.Type] = [
        // Elementwise, one variable
        Relu.self,

        // Elementwise, several variables

        // Convolution and matrix products
        Conv.self,
        Gemm.self,
        MatMul.self,

        // Pooling

        // Normalisation and softmax

        // Reductions

        // Shape and data movement
        Concat.self,
        Constant.self,
        ConstantOfShape.self,
        Expand.self,
        Flatten.self,
        Gather.self,
        Pad.self,
        Reshape.self,
        ShapeOf.self,
        Slice.self,
        Split.self,
        Squeeze.self,
        Tile.self,
        Transpose.self,
        Unsqueeze.self,

    ]

    /// The operator of a node, or why the node must be treated as opaque.
    package static func resolve(
        _ node: Node, opsetVersion: Int
    ) -> Result<any Operator, OperatorError> {
        guard let candidates = table[node.operatorName] else {
            return .failure(.unsupported("operator \(node.operatorName)"))
        }
        guard let match = candidates.first(where: { $0.versions.contains(opsetVersion) }) else {
            return .failure(.unsupported("\(node.operatorName) of operator set \(opsetVersion)"))
        }
        do throws(OperatorError) {
            return .success(try match.type.init(AttributeReader(node, opsetVersion: opsetVersion)))
        } catch {
            return .failure(error)
        }
    }

    private static let table: [OperatorName: [(versions: ClosedRange<Int>, type: any Operator.Type)]] = {
        var table: [OperatorName: [(versions: ClosedRange<Int>, type: any Operator.Type)]] = [:]
        for type in operators {
            for schema in type.schemas { table[schema.name, default: []].append((schema.versions, type)) }
        }
        return table
    }()
}
