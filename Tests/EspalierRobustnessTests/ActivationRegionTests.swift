import EspalierGraphs
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import Testing

/// Tiny ReLU networks are linear in each of finitely many regions: the largest norm over them is the exact constant.
struct ActivationRegionTests {
    private struct Network {
        let width: Int
        let first: MatrixMap
        let biases: [Double]
        let second: MatrixMap

        /// x of two numbers, `width` hidden units and two outputs.
        init(width: Int, first: [Double], biases: [Double], second: [Double]) {
            self.width = width
            self.first = MatrixMap(rows: width, columns: 2, elements: first)
            self.biases = biases
            self.second = MatrixMap(rows: 2, columns: width, elements: second)
        }

        func bound(halving halved: Int? = nil) throws -> Double {
            func tensor(_ map: MatrixMap) -> Tensor {
                Tensor(shape: [map.rows, map.columns], scalars: map.elements)
            }
            var builder = GraphBuilder(name: "tiny")
            let x = builder.input("x", type: ValueType(dtype: .float64, shape: [1, 2]))
            let hidden = builder.node(
                "Gemm",
                inputs: [
                    x, builder.constant("w1", tensor(first)),
                    builder.constant("b1", Tensor(shape: [width], scalars: biases)),
                ], attributes: ["transB": .int(1)])
            let y = builder.node(
                "Gemm",
                inputs: [builder.node("Relu", inputs: [hidden]), builder.constant("w2", tensor(second))],
                attributes: ["transB": .int(1)])
            let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
            let layers = try resolved.linearLayers()
            var constants = try layers.map { try OperatorNorm($0.map).upper }
            if let halved { constants[halved] /= 2 }
            return try LipschitzBound(
                resolved, layers: layers, constants: constants, norm: .euclidean
            ).outputs[0]
        }

        /// The largest norm of W2 D W1 over the regions that exist: between any two of the lines at which units switch,
        /// near their crossings and far out.
        func largestOverRegions() throws -> Double {
            var points = [(0.0, 0.0)]
            func row(_ unit: Int) -> (Double, Double) {
                (first.elements[2 * unit], first.elements[2 * unit + 1])
            }
            var crossings = [(0.0, 0.0)]
            for one in 0..<width {
                for other in 0..<one {
                    let ((a, b), (c, d)) = (row(one), row(other))
                    let determinant = a * d - b * c
                    guard abs(determinant) > 1e-9 else { continue }
                    crossings.append(
                        (
                            (-biases[one] * d + biases[other] * b) / determinant,
                            (-a * biases[other] + c * biases[one]) / determinant
                        ))
                }
            }
            for (x, y) in crossings {
                for step in 0..<64 {
                    let angle = Double(step) / 64 * 2 * Double.pi + 0.01
                    for radius in [1e-6, 1e3] {
                        points.append((x + radius * Double.cos(angle), y + radius * Double.sin(angle)))
                    }
                }
            }
            var patterns = Set<[Bool]>()
            for (x, y) in points {
                patterns.insert((0..<width).map { row($0).0 * x + row($0).1 * y + biases[$0] > 0 })
            }
            return try patterns.map { pattern in
                var product = [Double](repeating: 0, count: 4)
                for output in 0..<2 {
                    for unit in 0..<width where pattern[unit] {
                        for input in 0..<2 {
                            product[2 * output + input] +=
                                second.elements[output * width + unit] * first.elements[2 * unit + input]
                        }
                    }
                }
                return try SingularValues(MatrixMap(rows: 2, columns: 2, elements: product)).values[0]
            }.max() ?? 0
        }
    }

    @Test(arguments: 0..<50)
    func boundsHoldInEveryRegion(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let width = Int.random(in: 2...6, using: &random)
        func draw(_ count: Int) -> [Double] { (0..<count).map { _ in random.normal() } }
        let network = Network(
            width: width, first: draw(2 * width), biases: draw(width), second: draw(2 * width))
        let (exact, bound) = (try network.largestOverRegions(), try network.bound())
        #expect(exact <= bound, "seed \(seed)")
        #expect(exact > 0)
    }

    /// Where the product of norms is attained, half of any one layer's is caught.
    @Test(arguments: [0, 1])
    func halvedNormsAreCaught(layer: Int) throws {
        // Rotations times 2 and times 3, with all units on near the origin.
        let (c, s) = (0.6, 0.8)
        let network = Network(
            width: 2, first: [2 * c, -2 * s, 2 * s, 2 * c], biases: [5, 5],
            second: [3 * s, 3 * c, -3 * c, 3 * s])
        let exact = try network.largestOverRegions()
        #expect(abs(exact - 6) < 1e-12)
        #expect(exact <= (try network.bound()))
        #expect(exact > (try network.bound(halving: layer)))
    }
}
