package import EspalierGraphs

/// All operators, one line each; nothing else in the package lists them.
package enum Catalog {
    package static let operators: [any Operator.Type] = [
        // Elementwise, one variable
        Abs.self,
        Cast.self,
        Ceil.self,
        Clip.self,
        Cos.self,
        Dropout.self,
        Elu.self,
        Erf.self,
        Exp.self,
        Floor.self,
        Gelu.self,
        HardSigmoid.self,
        HardSwish.self,
        Identity.self,
        LeakyRelu.self,
        Log.self,
        Neg.self,
        Not.self,
        Reciprocal.self,
        Relu.self,
        Round.self,
        Selu.self,
        Sigmoid.self,
        Sign.self,
        Sin.self,
        Softplus.self,
        Sqrt.self,
        Tanh.self,

        // Elementwise, several variables
        Add.self,
        And.self,
        Div.self,
        Equal.self,
        Greater.self,
        GreaterOrEqual.self,
        Less.self,
        LessOrEqual.self,
        Max.self,
        Mean.self,
        Min.self,
        Mul.self,
        Or.self,
        Pow.self,
        PRelu.self,
        Sub.self,
        Sum.self,
        Where.self,
        Xor.self,

        // Convolution and matrix products
        Conv.self,
        Gemm.self,
        MatMul.self,

        // Pooling
        AveragePool.self,
        GlobalAveragePool.self,
        GlobalMaxPool.self,
        MaxPool.self,

        // Normalisation and softmax
        BatchNormalization.self,
        LayerNormalization.self,
        LogSoftmax.self,
        Softmax.self,

        // Reductions
        ReduceMax.self,
        ReduceMean.self,
        ReduceMin.self,
        ReduceSum.self,

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
