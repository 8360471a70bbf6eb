import EspalierGraphs
import EspalierTensors

extension ConformanceCase {
    static let reduction: [ConformanceCase] =
        ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"].flatMap { type -> [ConformanceCase] in
            // Sums take axes as an input since operator set 13, the others since 18.
            let attributeSet = type == "ReduceSum" ? 12 : 17
            return [
                ConformanceCase(
                    "\(type) by an attribute", type, opset: attributeSet,
                    attributes: ["axes": .ints([1, -1])],
                    inputs: [.activation([2, 3, 4, 2], .distinct(-1...1))]),
                ConformanceCase(
                    "\(type) of the outermost", type, opset: attributeSet,
                    attributes: ["axes": .ints([0]), "keepdims": .int(0)],
                    inputs: [.activation([3, 2, 4], .distinct(-1...1))]),
                ConformanceCase(
                    "\(type) by an input", type, opset: 18, attributes: ["keepdims": .int(0)],
                    inputs: [.activation([2, 3, 17], .distinct(-1...1)), .integers([2])]),
                ConformanceCase(
                    "\(type) of all", type, opset: 18, inputs: [.activation([2, 3], .distinct(-1...1))]),
                ConformanceCase(
                    "\(type) of nothing named", type, opset: 18,
                    attributes: ["noop_with_empty_axes": .int(1)],
                    inputs: [.activation([2, 3], .distinct(-1...1)), .integers([])]),
                ConformanceCase(
                    "\(type) of integers", type, opset: 18,
                    inputs: [.activation([2, 3], .integers(-9...9), dtype: .int32), .integers([1])]),
            ]
        } + [
            ConformanceCase(
                "ReduceSum of an empty axis", "ReduceSum", inputs: [.activation([2, 0]), .integers([1])]),
            ConformanceCase(
                "ReduceMax of booleans", "ReduceMax", opset: 20,
                inputs: [.activation([2, 3], .integers(0...1), dtype: .bool), .integers([1])]),
        ]
}
