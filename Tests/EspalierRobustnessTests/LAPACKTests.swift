import CLAPACK
import CSparseKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Certificates rest on these: builds of OpenBLAS that are wrong on newer CPUs exist.
struct LAPACKTests {
    /// The second difference of n numbers has the eigenvalues 2 - 2 cos(k pi / (n + 1)).
    @Test(arguments: [1, 2, 7, 60, 200])
    func singularValuesOfSecondDifferences(order: Int) throws {
        var elements = [Double](repeating: 0, count: order * order)
        for row in 0..<order {
            elements[row * (order + 1)] = 2
            if row > 0 { elements[row * order + row - 1] = -1 }
            if row + 1 < order { elements[row * order + row + 1] = -1 }
        }
        let found = try SingularValues(MatrixMap(rows: order, columns: order, elements: elements))
        let expected = (1...order).map { 2 - 2 * cos(Double($0) * .pi / Double(order + 1)) }.sorted(by: >)
        for (value, expected) in zip(found.values, expected) { #expect(abs(value - expected) < 1e-13) }
        // The vector of the largest: sin(n pi i / (n + 1)) times the sign that alternates with i.
        let vector = (1...order).map { sin(Double(order * $0) * .pi / Double(order + 1)) }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let product = zip(found.firstRight, vector).reduce(0) { $0 + $1.0 * $1.1 } / length
        #expect(abs(abs(product) - 1) < 1e-10)
    }

    @Test(arguments: [(3, 8), (8, 3), (40, 17)])
    func singularValuesOfRectangles(rows: Int, columns: Int) throws {
        var random = RandomSource(seed: UInt64(rows * columns))
        let matrix = MatrixMap(
            rows: rows, columns: columns, elements: (0..<(rows * columns)).map { _ in random.normal() })
        let values = try SingularValues(matrix).values
        #expect(values.count == min(rows, columns))
        // The sum of squares is that of the elements.
        let squares = matrix.elements.reduce(0) { $0 + $1 * $1 }
        #expect(abs(values.reduce(0) { $0 + $1 * $1 } - squares) < 1e-11 * squares)
        let other = try SingularValues(matrix.transposed).values
        for (value, other) in zip(values, other) { #expect(abs(value - other) < 1e-12 * values[0]) }
    }

    private struct Band {
        let order: Int
        let bandwidth: Int
        let stride: Int
        var elements: [Double]

        init(order: Int, bandwidth: Int, stride: Int, diagonal: Double, seed: UInt64) {
            (self.order, self.bandwidth, self.stride) = (order, bandwidth, stride)
            elements = [Double](repeating: 0, count: order * stride)
            var random = RandomSource(seed: seed)
            for column in 0..<order {
                elements[column * stride] = diagonal
                for offset in 1..<(bandwidth + 1) where column + offset < order {
                    elements[column * stride + offset] = Double(random.uniform(in: -0.5...0.5))
                }
            }
        }
    }

    private static var instructionSets: [espalier_isa] {
        [ESPALIER_ISA_PORTABLE, ESPALIER_ISA_NEON, ESPALIER_ISA_AVX2, ESPALIER_ISA_AVX512].filter(
            espalier_isa_is_supported)
    }

    /// Our factorisation and dpbtrf agree: in the factor, or in the pivot that fails.
    @Test(arguments: 0..<40)
    func bandFactorsAreLAPACKs(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let order = Int.random(in: 1...260, using: &random)
        let bandwidth = Int.random(in: 0..<min(order, 150), using: &random)
        let diagonal = seed % 3 == 0 ? 2.0 : 30.0
        var expected = Band(
            order: order, bandwidth: bandwidth, stride: bandwidth + 1, diagonal: diagonal, seed: seed)
        let answer = Int(
            espalier_lapack_dpbtrf(Int32(order), Int32(bandwidth), &expected.elements))
        for isa in Self.instructionSets {
            var band = Band(
                order: order, bandwidth: bandwidth,
                stride: bandwidth + ESPALIER_BAND_CHOLESKY_BLOCK, diagonal: diagonal, seed: seed)
            var scratch = [Double](repeating: .nan, count: espalier_band_cholesky_scratch(bandwidth))
            let done = espalier_band_cholesky(
                isa, &band.elements, order, bandwidth, band.stride, &scratch)
            #expect(done == (answer == 0 ? order : answer - 1))
            guard answer == 0 else { continue }
            for column in 0..<order {
                for offset in 0...bandwidth where column + offset < order {
                    let difference =
                        band.elements[column * band.stride + offset]
                        - expected.elements[column * expected.stride + offset]
                    #expect(abs(difference) < 1e-12)
                }
            }
        }
    }
}
