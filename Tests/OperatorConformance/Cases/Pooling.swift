import EspalierGraphs
import EspalierTensors

extension ConformanceCase {
    static let pooling: [ConformanceCase] = [
        ConformanceCase(
            "MaxPool", "MaxPool", attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])],
            inputs: [.activation([2, 3, 6, 4], .distinct(-1...1))]),
        ConformanceCase(
            "MaxPool of one axis, overlapping", "MaxPool",
            attributes: ["kernel_shape": .ints([3]), "pads": .ints([1, 1])],
            inputs: [.activation([2, 3, 5], .distinct(-1...1))]),
        ConformanceCase(
            "MaxPool padded, dilated, rounding up", "MaxPool",
            attributes: [
                "kernel_shape": .ints([2, 3]), "strides": .ints([2, 2]), "dilations": .ints([2, 1]),
                "pads": .ints([1, 0, 1, 1]), "ceil_mode": .int(1),
            ],
            inputs: [.activation([2, 2, 6, 6], .distinct(-1...1))]),
        ConformanceCase(
            "MaxPool of the same extents", "MaxPool",
            attributes: [
                "kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "auto_pad": .text("SAME_LOWER"),
            ],
            inputs: [.activation([2, 2, 5, 4], .distinct(-1...1))]),
        ConformanceCase(
            "MaxPool of three axes", "MaxPool", attributes: ["kernel_shape": .ints([2, 1, 2])],
            inputs: [.activation([2, 2, 3, 2, 3], .distinct(-1...1))]),
        ConformanceCase(
            "MaxPool with indices", "MaxPool",
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 1])],
            inputs: [.activation([2, 3, 4, 4], .distinct(-1...1))], outputs: 2),
        ConformanceCase(
            "MaxPool with column-major indices", "MaxPool",
            attributes: ["kernel_shape": .ints([2, 2]), "storage_order": .int(1)],
            inputs: [.activation([2, 2, 3, 4], .distinct(-1...1))], outputs: 2),
        ConformanceCase(
            "MaxPool of integers", "MaxPool", attributes: ["kernel_shape": .ints([2])],
            inputs: [.activation([2, 2, 5], .integers(-9...9), dtype: .int8)]),
        ConformanceCase(
            "AveragePool", "AveragePool",
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])],
            inputs: [.activation([2, 3, 4, 6])]),
        ConformanceCase(
            "AveragePool without the padding", "AveragePool",
            attributes: ["kernel_shape": .ints([3, 2]), "pads": .ints([1, 1, 1, 0])],
            inputs: [.activation([2, 2, 4, 3])]),
        ConformanceCase(
            "AveragePool with the padding", "AveragePool",
            attributes: [
                "kernel_shape": .ints([3, 2]), "pads": .ints([1, 1, 1, 0]), "count_include_pad": .int(1),
            ],
            inputs: [.activation([2, 2, 4, 3])]),
        ConformanceCase(
            "AveragePool with the padding, rounding up", "AveragePool",
            attributes: [
                "kernel_shape": .ints([3]), "strides": .ints([2]), "pads": .ints([1, 1]),
                "ceil_mode": .int(1), "count_include_pad": .int(1),
            ],
            inputs: [.activation([2, 3, 6])]),
        ConformanceCase(
            "AveragePool rounding up", "AveragePool",
            attributes: ["kernel_shape": .ints([3]), "strides": .ints([2]), "ceil_mode": .int(1)],
            inputs: [.activation([2, 3, 6])]),
        ConformanceCase(
            "AveragePool dilated", "AveragePool", opset: 19,
            attributes: [
                "kernel_shape": .ints([2, 2]), "dilations": .ints([2, 1]), "pads": .ints([1, 0, 1, 0]),
            ],
            inputs: [.activation([2, 2, 4, 3])]),
        ConformanceCase(
            "AveragePool of nothing", "AveragePool", attributes: ["kernel_shape": .ints([2])],
            inputs: [.activation([0, 2, 3])]),
        ConformanceCase("GlobalAveragePool", "GlobalAveragePool", inputs: [.activation([2, 3, 4, 3])]),
        ConformanceCase(
            "GlobalAveragePool of one axis", "GlobalAveragePool", inputs: [.activation([2, 3, 5])]),
        ConformanceCase(
            "GlobalAveragePool of four axes", "GlobalAveragePool", inputs: [.activation([2, 3, 2, 2, 2, 2])]),
        ConformanceCase(
            "GlobalMaxPool", "GlobalMaxPool", inputs: [.activation([2, 3, 4, 3], .distinct(-1...1))]),
    ]
}
