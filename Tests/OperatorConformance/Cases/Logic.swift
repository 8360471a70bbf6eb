import EspalierTensors

extension ConformanceCase {
    /// Comparisons, truth values, and choices by them.
    static let logic: [ConformanceCase] =
        ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].flatMap { type in
            [
                ConformanceCase(
                    "\(type) of integers", type,
                    inputs: [
                        .activation([2, 3], .integers(0...2), dtype: .int64),
                        .activation([3], .integers(0...2), dtype: .int64),
                    ]),
                ConformanceCase(
                    "\(type) of numbers", type, inputs: [.activation([2, 3, 2]), .activation([3, 1])]),
            ]
        }
        + ["And", "Or", "Xor", "Equal"].map { type in
            ConformanceCase(
                "\(type) of truth values", type, inputs: [truth([2, 3, 4]), truth([3, 1])])
        } + [
            ConformanceCase("Not", "Not", inputs: [truth([2, 3])]),
            ConformanceCase(
                "Where of one shape", "Where",
                inputs: [truth([2, 3, 4]), .activation([2, 3, 4]), .activation([2, 3, 4])]),
            ConformanceCase(
                "Where broadcast", "Where", inputs: [truth([3, 1]), .activation([2, 1, 4]), .constant([])]),
            ConformanceCase(
                "Where of integers", "Where",
                inputs: [
                    truth([2, 3]), .activation([3], .integers(0...9), dtype: .int64),
                    .activation([], .integers(0...9), dtype: .int64),
                ]),
        ]

    private static func truth(_ shape: Shape) -> CaseInput {
        .activation(shape, .integers(0...1), dtype: .bool)
    }
}
