import EspalierGraphs
import EspalierTensors

extension ConformanceCase {
    static let linear: [ConformanceCase] = [
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
            "Gemm transposed, with bias", "Gemm",
            attributes: ["transB": .int(1), "alpha": .float(0.5), "beta": .float(2)],
            inputs: [.activation([3, 5]), .constant([4, 5]), .constant([4])]),
        ConformanceCase("MatMul matrices", "MatMul", inputs: [.activation([3, 5]), .constant([5, 4])]),
        ConformanceCase(
            "MatMul of activations, broadcast", "MatMul",
            inputs: [.activation([2, 3, 2, 5]), .activation([3, 5, 4])],
            needsZeroActivations: "a product of two activations vanishes only where one of them is zero"),
    ]
}
