import EspalierGraphs
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import TestSupport
import Testing

struct MatrixNormTests {
    /// Zeroing a weight can raise a norm: from the root of 2 to the golden ratio.
    @Test func zeroingCanRaiseANorm() throws {
        func norm(_ elements: [Float]) throws -> OperatorNorm {
            try DenseOperator("MatMul", inputs: [.varying([1, 2]), .constant([2, 2], elements)]).check(
                "\(elements)")
        }
        let (dense, pruned) = (try norm([1, 1, 1, -1]), try norm([1, 1, 1, 0]))
        #expect(abs(dense.lower - 2.0.squareRoot()) < 1e-12)
        #expect(abs(pruned.lower - (1 + 5.0.squareRoot()) / 2) < 1e-12)
        #expect(pruned.lower > dense.upper)
    }

    @Test(arguments: 0..<40)
    func randomProducts(seed: UInt64) throws {
        var random = RandomSource(seed: seed).split("products")
        let rows = Int.random(in: 1...3, using: &random)
        let (inner, columns) = (
            Int.random(in: 1...20, using: &random), Int.random(in: 1...20, using: &random)
        )
        let weight = ValueFacts.random([inner, columns], seed: seed)
        try DenseOperator("MatMul", inputs: [.varying([2, rows, inner]), weight]).check("seed \(seed), right")
        try DenseOperator("MatMul", inputs: [.varying([inner]), weight]).check("seed \(seed), vector")
        try DenseOperator("MatMul", inputs: [weight, .varying([columns, rows])]).check("seed \(seed), left")
        for (left, right) in [(false, false), (true, false), (false, true), (true, true)] {
            let attributes: [String: Attribute] = [
                "transA": .int(left ? 1 : 0), "transB": .int(right ? 1 : 0), "alpha": .float(-1.5),
                "beta": .float(0.5),
            ]
            let addend = ValueFacts.random([columns], seed: seed + 1)
            try DenseOperator(
                "Gemm", attributes: attributes,
                inputs: [
                    .varying(left ? [inner, rows] : [rows, inner]),
                    .random(right ? [columns, inner] : [inner, columns], seed: seed), addend,
                ]
            ).check("seed \(seed), Gemm \(left) \(right)")
            try DenseOperator(
                "Gemm", attributes: attributes,
                inputs: [
                    .random(left ? [inner, rows] : [rows, inner], seed: seed),
                    .varying(right ? [columns, inner] : [inner, columns]), addend,
                ]
            ).check("seed \(seed), Gemm from the left \(left) \(right)")
            try DenseOperator(
                "Gemm", attributes: attributes,
                inputs: [
                    .random(left ? [inner, rows] : [rows, inner], seed: seed),
                    .random(right ? [columns, inner] : [inner, columns], seed: seed),
                    .varying([rows, columns]),
                ]
            ).check("seed \(seed), Gemm's addend")
        }
    }

    /// The cheap bound of a random matrix is close too: n^(1/256) is 2 % for 200 rows.
    @Test func cheapBoundsOfMatrices() throws {
        let dense = try DenseOperator("MatMul", inputs: [.varying([1, 200]), .random([200, 300], seed: 5)])
        let cheap = try OperatorNorm(dense.map, effort: .cheap)
        #expect(cheap.proof == .powers)
        #expect(cheap.upper >= dense.norm && cheap.upper < 1.021 * dense.norm)
        // Without them it is the root of the sum of squares.
        let squares = dense.matrix.elements.reduce(0) { $0 + $1 * $1 }
        #expect(cheap.upper < 0.6 * squares.squareRoot())
    }

    /// Nothing but the largest factor, and means, have closed forms.
    @Test func factorsAndMeans() throws {
        let channels: Shape = [3]
        let norm = try DenseOperator(
            "BatchNormalization", attributes: ["epsilon": .float(0)],
            inputs: [
                .varying([1, 3, 2, 2]), .constant(channels, [1, -6, 2]), .constant(channels, [5, 5, 5]),
                .constant(channels, [1, 2, 3]), .constant(channels, [1, 4, 16]),
            ]
        ).check("batch norm")
        #expect(norm.lower == 3 && norm.maximum >= 3 && norm.proof == .factors)
        let mean = try DenseOperator("GlobalAveragePool", inputs: [.varying([2, 3, 4, 4])]).check(
            "mean of 16")
        #expect(abs(mean.lower - 0.25) < 1e-12 && abs(mean.maximum - 1) < 1e-12)
        let sum = try DenseOperator(
            "ReduceSum", attributes: ["keepdims": .int(0)],
            inputs: [
                .varying([2, 3, 4]), ValueFacts(constant: Tensor(shape: [2], scalars: [0, 2] as [Int64])),
            ]
        ).check("sum of 8")
        #expect(abs(sum.lower - 8.0.squareRoot()) < 1e-12 && abs(sum.maximum - 8) < 1e-12)
        try DenseOperator(
            "ReduceMean", attributes: ["axes": .ints([1])], inputs: [.varying([2, 3, 4])]
        ).check("mean of 3")
        try DenseOperator("Mul", inputs: [.varying([2, 3]), .constant([3], [1, -4, 2])]).check("Mul")
        try DenseOperator("Mul", inputs: [.constant([3], [1, -4, 2]), .varying([2, 3])]).check(
            "Mul from the left")
        try DenseOperator("Div", inputs: [.varying([2, 3]), .constant([3], [1, -4, 0.5])]).check("Div")
    }

    /// Power iteration from one vector would need very long where many singular values are nearly equal.
    @Test func nearlyEqualSingularValues() throws {
        let order = 200
        var elements = [Float](repeating: 0, count: order * order)
        for index in 0..<order { elements[index * (order + 1)] = 1 - Float(index) * 1e-4 }
        try DenseOperator("MatMul", inputs: [.varying([1, order]), .constant([order, order], elements)])
            .check("diagonal")
    }
}
