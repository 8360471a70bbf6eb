import EspalierGraphs
import EspalierTensors

extension ConformanceCase {
    static let movement: [ConformanceCase] = joining + reading + selecting + filling

    private static let joining: [ConformanceCase] = [
        ConformanceCase(
            "Concat of channels", "Concat", attributes: ["axis": .int(1)],
            inputs: [.activation([2, 3, 4]), .activation([2, 2, 4]), .constant([2, 4, 4])]),
        ConformanceCase(
            "Concat counted from the end", "Concat", attributes: ["axis": .int(-1)],
            inputs: [.activation([2, 3]), .activation([2, 5])]),
        ConformanceCase(
            "Concat of nothing and something", "Concat", attributes: ["axis": .int(0)],
            inputs: [.activation([0, 3]), .activation([2, 3])]),
        ConformanceCase(
            "Concat of integers", "Concat", attributes: ["axis": .int(0)],
            inputs: [
                .activation([2], .integers(-9...9), dtype: .int64),
                .activation([3], .integers(-9...9), dtype: .int64),
            ]),
        ConformanceCase(
            "Split by sizes", "Split", attributes: ["axis": .int(1)],
            inputs: [.activation([2, 7, 3]), .integers([2, 4, 1])], outputs: 3),
        ConformanceCase(
            "Split by an attribute", "Split", opset: 11,
            attributes: ["axis": .int(-1), "split": .ints([1, 3])], inputs: [.activation([2, 4])], outputs: 2),
        ConformanceCase(
            "Split equally", "Split", attributes: ["axis": .int(1)], inputs: [.activation([2, 6])], outputs: 3
        ),
        ConformanceCase(
            "Split with a smaller last part", "Split", opset: 18,
            attributes: ["axis": .int(1), "num_outputs": .int(3)], inputs: [.activation([2, 7])], outputs: 3),
    ]

    private static let reading: [ConformanceCase] = [
        ConformanceCase("Flatten", "Flatten", inputs: [.activation([2, 3, 2, 2])]),
        ConformanceCase(
            "Flatten, channels last", "Flatten", inputs: [.activation([2, 2, 2, 3])]),
        ConformanceCase(
            "Flatten everything", "Flatten", attributes: ["axis": .int(0)], inputs: [.activation([2, 3])]),
        ConformanceCase(
            "Flatten at an axis from the end", "Flatten", attributes: ["axis": .int(-1)],
            inputs: [.activation([2, 3, 4])]),
        ConformanceCase(
            "Reshape, flattening", "Reshape", inputs: [.activation([2, 3, 2, 2]), .integers([2, 12])]),
        ConformanceCase(
            "Reshape with what remains", "Reshape", inputs: [.activation([2, 3, 4]), .integers([0, -1])]),
        ConformanceCase(
            "Reshape, splitting heads", "Reshape",
            inputs: [.activation([2, 3, 8]), .integers([0, 0, 4, 2])]),
        ConformanceCase(
            "Reshape that mixes axes", "Reshape", inputs: [.activation([2, 6, 4]), .integers([2, 4, 6])]),
        ConformanceCase(
            "Reshape that copies an extent it does not keep in place", "Reshape",
            inputs: [.activation([4, 2, 3]), .integers([2, 0, -1])]),
        ConformanceCase(
            "Reshape of nothing", "Reshape", attributes: ["allowzero": .int(1)],
            inputs: [.activation([0, 3]), .integers([3, 0])]),
        ConformanceCase("Squeeze all", "Squeeze", inputs: [.activation([2, 1, 3, 1])]),
        ConformanceCase("Squeeze to one", "Squeeze", inputs: [.activation([2, 2, 1])]),
        ConformanceCase(
            "Squeeze by an attribute", "Squeeze", opset: 11, attributes: ["axes": .ints([-1])],
            inputs: [.activation([2, 3, 1])]),
        ConformanceCase("Squeeze by an input", "Squeeze", inputs: [.activation([2, 1, 3]), .integers([1])]),
        ConformanceCase(
            "Unsqueeze by an attribute", "Unsqueeze", opset: 11, attributes: ["axes": .ints([0, 2])],
            inputs: [.activation([2, 3])]),
        ConformanceCase(
            "Unsqueeze by an input", "Unsqueeze", inputs: [.activation([2, 3]), .integers([-1, 1])]),
        ConformanceCase(
            "Transpose", "Transpose", attributes: ["perm": .ints([0, 2, 3, 1])],
            inputs: [.activation([2, 3, 4, 2])]),
        ConformanceCase("Transpose reversed", "Transpose", inputs: [.activation([2, 3, 4])]),
        ConformanceCase(
            "Transpose of a parameter", "Transpose", inputs: [.constant([3, 4])]),
    ]

    private static let selecting: [ConformanceCase] = [
        ConformanceCase(
            "Slice", "Slice",
            inputs: [.activation([2, 6, 4]), .integers([1]), .integers([5]), .integers([1])]),
        ConformanceCase(
            "Slice by attributes", "Slice", opset: 9,
            attributes: ["starts": .ints([0, -3]), "ends": .ints([1, -1])], inputs: [.activation([2, 5])]),
        ConformanceCase(
            "Slice of everything", "Slice",
            inputs: [.activation([2, 3]), .integers([-9]), .integers([.max])]),
        ConformanceCase(
            "Slice backwards", "Slice",
            inputs: [
                .activation([2, 3, 5]), .integers([-1, 2]), .integers([.min, 0]), .integers([2, 1]),
                .integers([-2, -1]),
            ]),
        ConformanceCase(
            "Slice in huge steps", "Slice",
            inputs: [
                .activation([3, 4]), .integers([1, 3]), .integers([.max, .min]), .integers([0, 1]),
                .integers([.max, .min]),
            ]),
        ConformanceCase(
            "Slice of nothing", "Slice", inputs: [.activation([2, 3]), .integers([2]), .integers([1])]),
        ConformanceCase(
            "Gather of channels", "Gather", attributes: ["axis": .int(1)],
            inputs: [.activation([2, 4, 3]), .integers([2, -1, 2])]),
        ConformanceCase(
            "Gather of embeddings", "Gather",
            inputs: [.constant([5, 3]), .activation([2, 4], .integers(-5...4), dtype: .int64)]),
        ConformanceCase(
            "Gather of one", "Gather", attributes: ["axis": .int(-1)],
            inputs: [.activation([2, 3, 4]), .constant(Tensor(Int32(1)))]),
    ]

    private static let filling: [ConformanceCase] = [
        ConformanceCase(
            "Pad", "Pad",
            inputs: [
                .activation([2, 3, 4, 3]), .integers([0, 0, 1, 0, 0, 0, 2, 1]), .constant(Tensor(Float(0.5))),
            ]),
        ConformanceCase(
            "Pad by attributes", "Pad", opset: 10,
            attributes: ["pads": .ints([0, 1, 0, 2]), "value": .float(-1)], inputs: [.activation([2, 3])]),
        ConformanceCase(
            "Pad away", "Pad", inputs: [.activation([2, 3, 5]), .integers([0, 0, -1, 0, 0, -2])]),
        ConformanceCase(
            "Pad of named axes", "Pad", opset: 18,
            inputs: [.activation([2, 3, 4]), .integers([1, 2]), nil, .integers([-1])]),
        ConformanceCase(
            "Pad by reflection", "Pad", attributes: ["mode": .text("reflect")],
            inputs: [.constant([2, 5], dtype: .float64), .integers([0, 3, 0, 4])]),
        ConformanceCase(
            "Pad by the edge", "Pad", attributes: ["mode": .text("edge")],
            inputs: [.activation([2, 3], dtype: .float64), .integers([0, 2, 0, 4])]),
        ConformanceCase(
            "Pad by the other end", "Pad", opset: 19, attributes: ["mode": .text("wrap")],
            inputs: [.activation([2, 3], dtype: .float64), .integers([0, 4, 0, 5])]),
        ConformanceCase(
            "Expand", "Expand", inputs: [.activation([3, 1, 2]), .integers([2, 1, 4, 2])]),
        ConformanceCase("Expand in place", "Expand", inputs: [.activation([2, 3]), .integers([1])]),
        ConformanceCase("Expand of a scalar", "Expand", inputs: [.activation([]), .integers([2, 3])]),
        ConformanceCase("Tile", "Tile", inputs: [.activation([2, 3, 2]), .integers([1, 2, 3])]),
        ConformanceCase(
            "Constant", "Constant",
            attributes: ["value": .tensor(Tensor(shape: [2], scalars: [1, 2] as [Float]))],
            inputs: []),
        ConformanceCase(
            "Constant integers", "Constant", attributes: ["value_ints": .ints([3, 4])], inputs: []),
        ConformanceCase(
            "ConstantOfShape", "ConstantOfShape",
            attributes: ["value": .tensor(Tensor(shape: [1], scalars: [2.5] as [Float]))],
            inputs: [.integers([2, 3])]),
        ConformanceCase("Shape", "Shape", inputs: [.activation([2, 3, 4])]),
        ConformanceCase(
            "Shape of some axes", "Shape", attributes: ["start": .int(-1), "end": .int(9)],
            inputs: [.activation([2, 3, 4])]),
    ]
}
