import EspalierGraphs
import EspalierTensors
import TestSupport

extension ConformanceCase {
    static let linear: [ConformanceCase] = convolutions + generalProducts + matrixProducts

    private static let convolutions: [ConformanceCase] = [
        ConformanceCase(
            "Conv padded, with bias", "Conv", attributes: ["pads": .ints([1, 1, 1, 1])],
            inputs: [.activation([2, 3, 5, 4]), .constant([4, 3, 3, 3]), .constant([4])]),
        ConformanceCase(
            "Conv in groups", "Conv", attributes: ["group": .int(2), "strides": .ints([2, 2])],
            inputs: [.activation([2, 4, 5, 5]), .constant([6, 2, 3, 3])]),
        ConformanceCase(
            "Conv depthwise", "Conv", attributes: ["group": .int(3), "pads": .ints([1, 1])],
            inputs: [.activation([2, 3, 6]), .constant([6, 1, 3])]),
        ConformanceCase(
            "Conv depthwise 3x3", "Conv", attributes: ["group": .int(17), "pads": .ints([1, 1, 1, 1])],
            inputs: [.activation([2, 17, 5, 5]), .constant([17, 1, 3, 3]), .constant([17])]),
        ConformanceCase(
            "Conv of one channel", "Conv",
            inputs: [.activation([3, 1, 7, 7]), .constant([20, 1, 5, 5]), .constant([20])]),
        ConformanceCase(
            "Conv of 16 to 32 channels", "Conv", attributes: ["strides": .ints([2, 2])],
            inputs: [.activation([2, 16, 5, 5]), .constant([32, 16, 3, 3])],
            // Sums of 144 products, of whose rounding a fused logarithm makes the most.
            tolerances: CaseTolerances(forward: Tolerance(relative: 1e-4, absolute: 1e-4))),
        ConformanceCase(
            "Conv 1x1 with stride", "Conv", attributes: ["strides": .ints([2, 2])],
            inputs: [.activation([2, 5, 4, 4]), .constant([7, 5, 1, 1]), .constant([7])]),
        ConformanceCase(
            "Conv of six channels", "Conv", attributes: ["pads": .ints([1, 1, 1, 1])],
            inputs: [.activation([2, 6, 4, 5]), .constant([5, 6, 3, 3]), .constant([5])]),
        ConformanceCase(
            "Conv dilated, unevenly padded", "Conv",
            attributes: [
                "dilations": .ints([2, 1]), "pads": .ints([2, 0, 1, 3]), "strides": .ints([1, 2]),
            ],
            inputs: [.activation([2, 6, 6, 5]), .constant([4, 6, 3, 2]), .constant([4])]),
        ConformanceCase(
            "Conv of three channels, dilated, unevenly padded", "Conv",
            attributes: [
                "dilations": .ints([2, 1]), "pads": .ints([2, 0, 1, 3]), "strides": .ints([1, 2]),
            ],
            inputs: [.activation([2, 3, 6, 5]), .constant([4, 3, 3, 2]), .constant([4])]),
        ConformanceCase(
            "Conv SAME_LOWER", "Conv",
            attributes: ["auto_pad": .text("SAME_LOWER"), "strides": .ints([2, 2])],
            inputs: [.activation([2, 5, 6, 5]), .constant([3, 5, 3, 4])]),
        ConformanceCase(
            "Conv of two channels, SAME_UPPER", "Conv", attributes: ["auto_pad": .text("SAME_UPPER")],
            inputs: [.activation([3, 2, 6, 5]), .constant([3, 2, 4, 3])]),
        ConformanceCase(
            "Conv on one axis", "Conv", attributes: ["pads": .ints([1, 0])],
            inputs: [.activation([2, 5, 9]), .constant([6, 5, 3]), .constant([6])]),
        ConformanceCase(
            "Conv of one channel on one axis", "Conv", attributes: ["pads": .ints([1, 0])],
            inputs: [.activation([2, 1, 15]), .constant([33, 1, 3]), .constant([33])]),
        ConformanceCase(
            "Conv on three axes", "Conv", attributes: ["pads": .ints([1, 0, 1, 0, 1, 0])],
            inputs: [.activation([2, 2, 3, 4, 3]), .constant([3, 2, 2, 2, 2]), .constant([3])]),
        ConformanceCase(
            "Conv by an activation", "Conv",
            inputs: [.activation([2, 3, 4, 4]), .activation([4, 3, 2, 2])], isBatched: false),
        ConformanceCase(
            "Conv in double precision", "Conv",
            inputs: [.activation([2, 3, 4], dtype: .float64), .constant([4, 3, 2], dtype: .float64)]),
    ]

    private static let generalProducts: [ConformanceCase] = [
        ConformanceCase(
            "Gemm transposed, with bias", "Gemm",
            attributes: ["transB": .int(1), "alpha": .float(0.5), "beta": .float(2)],
            inputs: [.activation([3, 5]), .constant([4, 5]), .constant([4])]),
        ConformanceCase(
            "Gemm with bias", "Gemm", attributes: ["transB": .int(1)],
            inputs: [.activation([3, 5]), .constant([4, 5]), .constant([4])]),
        ConformanceCase("Gemm without C", "Gemm", inputs: [.activation([3, 5]), .constant([5, 4])]),
        ConformanceCase(
            "Gemm of transposed A", "Gemm", attributes: ["transA": .int(1), "alpha": .float(-1.5)],
            inputs: [.activation([5, 3]), .constant([5, 4]), .constant([1, 4])], isBatched: false),
        ConformanceCase(
            "Gemm of two transposed", "Gemm", attributes: ["transA": .int(1), "transB": .int(1)],
            inputs: [.activation([5, 3]), .activation([4, 5]), .activation([3, 4])], isBatched: false),
        ConformanceCase(
            "Gemm with a column", "Gemm", attributes: ["beta": .float(0.5)],
            inputs: [.activation([3, 5]), .constant([5, 4]), .activation([3, 1])]),
        ConformanceCase(
            "Gemm with a scalar", "Gemm", attributes: ["beta": .float(0.5)],
            inputs: [.activation([3, 5]), .constant([5, 4]), .constant([])]),
        ConformanceCase(
            "Gemm with C by 0", "Gemm", attributes: ["beta": .float(0)],
            inputs: [.activation([3, 5]), .constant([5, 4]), .constant([4])]),
    ]

    private static let matrixProducts: [ConformanceCase] = [
        ConformanceCase("MatMul matrices", "MatMul", inputs: [.activation([3, 5]), .constant([5, 4])]),
        ConformanceCase(
            "MatMul with positions", "MatMul", inputs: [.activation([3, 2, 5]), .constant([5, 4])]),
        ConformanceCase(
            "MatMul by a constant on the left", "MatMul",
            inputs: [.constant([4, 5]), .activation([3, 5, 2])]),
        ConformanceCase(
            "MatMul by heads of a constant", "MatMul",
            inputs: [.activation([3, 2, 4, 5]), .constant([2, 5, 3])]),
        ConformanceCase("MatMul by a vector", "MatMul", inputs: [.activation([3, 5]), .constant([5])]),
        ConformanceCase(
            "MatMul of a vector", "MatMul", inputs: [.activation([5]), .constant([5, 4])], isBatched: false),
        ConformanceCase(
            "MatMul of activations", "MatMul",
            inputs: [.activation([2, 3, 4, 5]), .activation([2, 3, 5, 4])]),
        ConformanceCase(
            "MatMul of activations, broadcast", "MatMul",
            inputs: [.activation([2, 3, 2, 5]), .activation([3, 5, 4])]),
        ConformanceCase(
            "MatMul of activations, both broadcast", "MatMul",
            inputs: [.activation([2, 1, 2, 5]), .activation([1, 3, 5, 4])]),
        ConformanceCase(
            "MatMul of integers", "MatMul",
            inputs: [
                .activation([2, 3], .integers(-5...5), dtype: .int32),
                .constant([3, 4], .integers(-5...5), dtype: .int32),
            ]),
    ]
}
