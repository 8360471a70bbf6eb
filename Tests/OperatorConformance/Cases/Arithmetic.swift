import EspalierGraphs
import EspalierTensors

extension ConformanceCase {
    /// Calculating with several values that broadcast to each other.
    static let arithmetic: [ConformanceCase] =
        ["Add", "Sub", "Mul", "Div"].flatMap { operands($0, right: .uniform(0.5...2)) } + [
            ConformanceCase(
                "Div by negative numbers", "Div",
                inputs: [.activation([2, 3]), .activation([2, 3], .uniform(-2 ... -0.5))])
        ]
        + ["Add", "Sub", "Mul", "Div"].map { type in
            ConformanceCase(
                "\(type) of integers", type,
                inputs: [
                    .activation([2, 3], .integers(-9...9), dtype: .int32),
                    .activation([3], .integers(1...5), dtype: .int32),
                ])
        } + [
            ConformanceCase(
                "Pow", "Pow", inputs: [.activation([2, 3], .uniform(0.5...2)), .activation([2, 3])]),
            ConformanceCase(
                "Pow broadcast", "Pow",
                inputs: [
                    .activation([2, 3, 4], .uniform(0.5...2)), .activation([3, 1], .uniform(0.5...3)),
                ]),
            ConformanceCase(
                "Pow squared", "Pow", inputs: [.activation([2, 3]), .constant(Tensor(Float(2)))]),
            ConformanceCase(
                "Pow of a half", "Pow",
                inputs: [.activation([2, 3], .uniform(0.5...2)), .constant(Tensor(Float(0.5)))]),
            ConformanceCase(
                "Pow cubed by an integer", "Pow",
                inputs: [.activation([2, 3], .uniform(-2...2)), .constant(Tensor(Int64(3)))]),
            ConformanceCase(
                "Pow of integers", "Pow",
                inputs: [
                    .activation([2, 3], .integers(1...9), dtype: .int64),
                    .activation([3], .integers(-1...4), dtype: .int64),
                ]),
            ConformanceCase(
                "Pow of integers by fractions", "Pow",
                inputs: [
                    .activation([2, 3], .integers(1...9), dtype: .int32), .activation([3], .uniform(0...2)),
                ]),
            ConformanceCase(
                "PRelu per channel", "PRelu",
                inputs: [.activation([2, 3, 4, 2], .avoiding([0], in: -2...2)), .constant([3, 1, 1])]),
            ConformanceCase(
                "PRelu with one slope", "PRelu",
                inputs: [.activation([2, 3], .avoiding([0], in: -2...2)), .constant([1])]),
            ConformanceCase(
                "PRelu per element", "PRelu",
                inputs: [.activation([2, 3], .avoiding([0], in: -2...2)), .activation([2, 3])]),
        ]
        + ["Max", "Min"].flatMap { type in
            [
                ConformanceCase(
                    "\(type) of two", type,
                    inputs: [
                        .activation([2, 3, 4], .distinct(-2...2)), .activation([2, 3, 4], .distinct(-1...1)),
                    ]),
                ConformanceCase(
                    "\(type) of three, broadcast", type,
                    inputs: [
                        .activation([3, 1], .distinct(-2...2)), .activation([2, 3, 4], .distinct(-1...1)),
                        .constant([], .uniform(0.1...0.2)),
                    ]),
                ConformanceCase("\(type) of one", type, inputs: [.activation([2, 3])]),
                ConformanceCase(
                    "\(type) of integers", type,
                    inputs: [
                        .activation([2, 3], .integers(-9...9), dtype: .int64),
                        .activation([3], .integers(-9...9), dtype: .int64),
                    ]),
            ]
        }
        + ["Sum", "Mean"].flatMap { type in
            [
                ConformanceCase(
                    "\(type) of two", type, inputs: [.activation([2, 3, 4]), .activation([2, 3, 4])]),
                ConformanceCase(
                    "\(type) of three, broadcast", type,
                    inputs: [.activation([3, 1]), .activation([2, 3, 4]), .constant([4])]),
                ConformanceCase("\(type) of one", type, inputs: [.activation([2, 3])]),
            ]
        }

    /// The ways in which two operands broadcast: the same shape, a scalar, per channel, with neither the larger one,
    /// and with the first the smaller.
    private static func operands(_ type: String, right: CaseInput.Values) -> [ConformanceCase] {
        [
            ConformanceCase(
                "\(type) of one shape", type,
                inputs: [.activation([2, 3, 4]), .activation([2, 3, 4], right)]),
            ConformanceCase(
                "\(type) with a number", type, inputs: [.activation([2, 3, 4]), .constant([], right)]),
            ConformanceCase(
                "\(type) per channel", type,
                inputs: [.activation([2, 3, 4, 2]), .constant([3, 1, 1], right)]),
            ConformanceCase(
                "\(type) per channel, all axes", type,
                inputs: [.activation([2, 3, 4]), .constant([1, 3, 1], right)]),
            ConformanceCase(
                "\(type) per feature", type, inputs: [.activation([2, 3]), .constant([3], right)]),
            ConformanceCase(
                "\(type) outer", type, inputs: [.activation([2, 1, 4]), .activation([3, 1], right)]),
            ConformanceCase(
                "\(type) with a smaller first", type,
                inputs: [.constant([3, 1]), .activation([2, 3, 4], right)]),
            ConformanceCase(
                "\(type) of nothing", type, inputs: [.activation([2, 0]), .activation([1], right)]),
        ]
    }
}
