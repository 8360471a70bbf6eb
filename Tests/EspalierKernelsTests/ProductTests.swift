import EspalierKernels
import EspalierTensors
import Testing

/// Inner products and matrix products against loops.
@Suite struct ProductTests {
    @Test(arguments: [[3, 7], [5, 20, 2, 3], [2, 3, 4]], [1, 2])
    func innerProductAndItsGradientsAgreeWithLoops(source extents: [Int], threads: Int) throws {
        let lane = try Lane(threads: threads)
        try lane.run {
            let outputs = 6
            let samples = extents[0]
            let features = extents.dropFirst().reduce(1, *)
            let source = DNNOperand.any(Shape(extents))
            let weights = DNNOperand.any(Shape([outputs] + extents.dropFirst()))
            var random = RandomSource(seed: 3)
            let x = random.floats(samples * features)
            let w = random.floats(outputs * features)
            let b = random.floats(outputs)
            let gradient = random.floats(samples * outputs)
            var y = [Double](repeating: 0, count: gradient.count)
            var dx = [Double](repeating: 0, count: x.count)
            var dw = [Double](repeating: 0, count: w.count)
            var db = [Double](repeating: 0, count: b.count)
            for sample in 0..<samples {
                for output in 0..<outputs {
                    let g = Double(gradient[sample * outputs + output])
                    y[sample * outputs + output] = Double(b[output])
                    db[output] += g
                    for feature in 0..<features {
                        let (input, weight) = (sample * features + feature, output * features + feature)
                        y[sample * outputs + output] += Double(x[input]) * Double(w[weight])
                        dx[input] += g * Double(w[weight])
                        dw[weight] += g * Double(x[input])
                    }
                }
            }
            let forward = try DNNPrimitive.innerProduct(
                source: source, weights: weights, bias: true, training: true)
            let result = try Execution(
                forward, [.source: x, .weights: w, .bias: b], outputs: [.destination])
            #expect(relativeDifference(try result.values(.destination), y) < 1e-5)
            let data = try Execution(
                .innerProductSourceGradient(forward: forward, sourceGradient: source, weights: weights),
                [.weights: w, .destinationGradient: gradient], outputs: [.sourceGradient])
            #expect(relativeDifference(try data.values(.sourceGradient), dx) < 1e-5)
            let parameters = try Execution(
                .innerProductWeightsGradient(
                    forward: forward, source: source, weightsGradient: weights, bias: true),
                [.source: x, .destinationGradient: gradient], outputs: [.weightsGradient, .biasGradient])
            #expect(relativeDifference(try parameters.values(.weightsGradient), dw) < 1e-5)
            #expect(relativeDifference(try parameters.values(.biasGradient), db) < 1e-5)
        }
    }

    /// The blocked result of a convolution goes into an inner product as it is.
    @Test func innerProductReadsBlockedImages() throws {
        let convolution = try DNNConvolution(source: [2, 16, 6, 6], weights: [32, 16, 3, 3])
        let blocked = try DNNPrimitive.convolution(convolution, bias: false).layout(of: .destination)
        var random = RandomSource(seed: 5)
        let x = random.floats(blocked.shape.count)
        let w = random.floats(4 * 32 * 16)
        let product = try DNNPrimitive.innerProduct(
            source: .layout(blocked), weights: .any([4, 32, 4, 4]), bias: false)
        let result = try Execution(product, [.source: x, .weights: w], outputs: [.destination])
        var expected = [Double](repeating: 0, count: 8)
        for sample in 0..<2 {
            for output in 0..<4 {
                for feature in 0..<512 {
                    expected[sample * 4 + output] +=
                        Double(x[sample * 512 + feature]) * Double(w[output * 512 + feature])
                }
            }
        }
        #expect(relativeDifference(try result.values(.destination), expected) < 1e-5)
    }

    struct MatrixCase: Sendable {
        let batch: [Int]
        let weightsBatch: [Int]
        var rows = 5
        var inner = 7
        var columns = 3
    }

    @Test(
        arguments: [
            MatrixCase(batch: [], weightsBatch: []), MatrixCase(batch: [2], weightsBatch: [2]),
            MatrixCase(batch: [2, 3], weightsBatch: [1, 3]), MatrixCase(batch: [4], weightsBatch: [1]),
            MatrixCase(batch: [], weightsBatch: [], rows: 33, inner: 64, columns: 48),
        ], [[false, false], [false, true], [true, false], [true, true]])
    func matrixProductAgreesWithLoops(of test: MatrixCase, transposed: [Bool]) throws {
        let sourceShape = Shape(test.batch + [test.rows, test.inner])
        let weightsShape = Shape(test.weightsBatch + [test.inner, test.columns])
        let resultShape = Shape(test.batch + [test.rows, test.columns])
        var random = RandomSource(seed: 9)
        let x = random.floats(sourceShape.count)
        let w = random.floats(weightsShape.count)
        let b = random.floats(test.columns)
        let bias = Shape([Int](repeating: 1, count: test.batch.count + 1) + [test.columns])
        let product = try DNNPrimitive.matrixProduct(
            source: .layout(matrix(sourceShape, transposed: transposed[0])),
            weights: .layout(matrix(weightsShape, transposed: transposed[1])), bias: .plain(bias),
            destination: .plain(resultShape))
        let result = try Execution(
            product, [.source: x, .weights: w, .bias: b], outputs: [.destination])
        var expected: [Double] = []
        for index in indices(of: resultShape.extents) {
            let (row, column) = (index[index.count - 2], index[index.count - 1])
            let batch = Array(index.dropLast(2))
            let weightsBatch = zip(batch, test.weightsBatch).map { $1 == 1 ? 0 : $0 }
            var sum = Double(b[column])
            for inner in 0..<test.inner {
                sum +=
                    Double(x[offset(batch + [row, inner], in: sourceShape.extents)])
                    * Double(w[offset(weightsBatch + [inner, column], in: weightsShape.extents)])
            }
            expected.append(sum)
        }
        #expect(
            relativeDifference(try result.values(.destination), expected) < 1e-5,
            "\(product.implementationName)")
    }

    /// A layout of `shape` whose last two axes lie in memory in row-major or column-major order.
    private func matrix(_ shape: Shape, transposed: Bool) throws -> DNNLayout {
        guard transposed else { return try .plain(shape) }
        var swapped = shape
        let (row, column) = (shape.rank - 2, shape.rank - 1)
        swapped[row] = shape[column]
        swapped[column] = shape[row]
        var axes = Array(0..<shape.rank)
        axes.swapAt(row, column)
        return try DNNLayout.plain(swapped).transposed(axes)
    }

    @Test func mismatchedProductsAreRefused() {
        #expect(throws: DNNError.self) {
            try DNNPrimitive.innerProduct(source: .any([2, 3]), weights: .any([4, 5]), bias: false)
        }
        let error = #expect(throws: DNNError.self) {
            try DNNPrimitive.matrixProduct(
                source: .plain([2, 3]), weights: .plain([4, 5]), destination: .plain([2, 5]))
        }
        #expect(error?.message.contains("matrix multiplication (source 2x3:ab, weights 4x5:ab") == true)
    }
}
