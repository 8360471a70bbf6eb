import EspalierGraphs
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import TestSupport
import Testing

/// The linear part of a node's operator as a dense matrix, found by running its reference on unit vectors: it shares
/// nothing with the maps whose norms are tested.
struct DenseOperator {
    let matrix: MatrixMap
    /// What the operator says its linear part is.
    let map: LinearMap
    let singularValues: [Double]

    /// - Parameters:
    ///   - inputs: of the node; the one without a constant is what it is linear in.
    init(
        _ type: String, opset: Int = 17, attributes: [String: Attribute] = [:], inputs: [ValueFacts?]
    ) throws {
        let name = OperatorName(type)
        let port = try #require(inputs.firstIndex { $0 != nil && $0?.constant == nil })
        let node = Node.single(
            name, inputs: inputs.map { $0 != nil }, outputCount: 1, attributes: attributes)
        let operation = try Catalog.resolve(node, opsetVersion: opset).get()
        let outputs = try operation.inferOutputs(OperatorInputs(inputs))
        let signature = Signature(inputs: inputs, outputs: outputs)
        let affine = try #require(operation as? any AffineMapping)
        map = try affine.linearMap(of: port, scalingChannels: nil, signature)
        let shape = signature.inputShape(port)
        func image(_ vector: [Double]) throws -> [Double] {
            var values = inputs.map { $0?.constant.map { ReferenceValue<Double>($0) } }
            values[port] = .real(NDArray(shape: shape, elements: vector))
            let call = ReferenceCall<Double>(inputs: values, outputs: outputs)
            guard case .real(let output) = try operation.reference(call)[0] else { return [] }
            return output.elements
        }
        var vector = [Double](repeating: 0, count: shape.count)
        let origin = try image(vector)
        var columns: [Double] = []
        for index in vector.indices {
            vector[index] = 1
            columns += zip(try image(vector), origin).map { $0 - $1 }
            vector[index] = 0
        }
        matrix = MatrixMap(rows: shape.count, columns: origin.count, elements: columns).transposed
        singularValues = try SingularValues(matrix).values
    }

    var norm: Double { singularValues.first ?? 0 }

    var largestRowSum: Double {
        (0..<matrix.rows).map { row in
            matrix.elements[(row * matrix.columns)..<((row + 1) * matrix.columns)].reduce(0) { $0 + abs($1) }
        }.max() ?? 0
    }

    /// Checks every bound against the singular values, and returns the norms.
    @discardableResult
    func check(_ label: String, largestGap: Double = 0.01) throws -> OperatorNorm {
        let found = try OperatorNorm(map, seed: 7)
        let comment = Comment(rawValue: "\(label): norm \(norm), found \(found)")
        #expect(found.lower <= norm * (1 + 1e-13), comment)
        #expect(found.upper >= norm * (1 - 1e-14), comment)
        #expect(found.cheapUpper >= norm * (1 - 1e-14), comment)
        #expect(found.upper <= found.cheapUpper, comment)
        #expect(found.gap <= largestGap, comment)
        #expect(found.maximum >= largestRowSum * (1 - 1e-14), comment)
        #expect(found.maximum <= largestRowSum * (1 + 1e-12), comment)
        // A bound of half the size would not pass.
        if norm > 0 { #expect(found.upper / 2 < found.lower, comment) }
        return found
    }
}

extension ValueFacts {
    /// An input that depends on the network's.
    static func varying(_ shape: Shape) -> ValueFacts { ValueFacts(dtype: .float32, shape: shape) }

    static func constant(_ shape: Shape, _ elements: [Float]) -> ValueFacts {
        ValueFacts(constant: Tensor(shape: shape, scalars: elements))
    }

    static func random(_ shape: Shape, seed: UInt64) -> ValueFacts {
        ValueFacts(constant: .random(shape, seed: seed))
    }
}
