import EspalierGraphs
import EspalierTensors
import TestSupport

extension ConformanceCase {
    /// Functions of one variable.
    static let functions: [ConformanceCase] = [
        function("Abs", kinks: [0]),
        function("Ceil", kinks: [-2, -1, 0, 1, 2]),
        function("Cos"),
        function("Elu", kinks: [0]),
        function("Elu", "with alpha", kinks: [0], attributes: ["alpha": .float(0.5)]),
        function("Elu", "with a negative alpha", kinks: [0], attributes: ["alpha": .float(-0.5)]),
        function("Erf"),
        function("Exp"),
        function("Floor", kinks: [-2, -1, 0, 1, 2]),
        function("Gelu", opset: 20, in: -4...4),
        function("Gelu", "by tanh", opset: 20, in: -4...4, attributes: ["approximate": .text("tanh")]),
        ConformanceCase(
            "Gelu of com.microsoft", "Gelu", domain: "com.microsoft", opset: 1, inputs: [.activation([2, 3])]),
        function("HardSigmoid", kinks: [-2.5, 2.5], in: -4...4),
        function(
            "HardSigmoid", "of another slope", kinks: [-1.2, 0.8],
            attributes: ["alpha": .float(0.5), "beta": .float(0.6)]
        ),
        function("HardSwish", kinks: [-3, 3], in: -5...5),
        function("LeakyRelu", kinks: [0]),
        function("LeakyRelu", "with alpha", kinks: [0], attributes: ["alpha": .float(0.3)]),
        function("LeakyRelu", "with a negative alpha", kinks: [0], attributes: ["alpha": .float(-0.3)]),
        function("Log", in: 0.2...4),
        function("Neg"),
        function("Reciprocal", kinks: [0], margin: 0.3),
        function("Relu", kinks: [0]),
        function("Round", kinks: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
        function("Selu", kinks: [0]),
        function(
            "Selu", "of other parameters", kinks: [0],
            attributes: ["alpha": .float(1.1), "gamma": .float(0.9)]),
        function("Sigmoid", in: -8...8),
        function("Sign", kinks: [0]),
        function("Sin"),
        function("Softplus", in: -8...8),
        function("Sqrt", in: 0.2...4),
        function("Tanh", in: -4...4),
        ConformanceCase("Relu of a scalar", "Relu", inputs: [.activation([], .uniform(0.5...1))]),
        ConformanceCase("Relu of nothing", "Relu", inputs: [.activation([2, 0, 3])]),
        ConformanceCase(
            "Relu of integers", "Relu", inputs: [.activation([2, 3], .integers(-5...5), dtype: .int32)]),
        ConformanceCase(
            "Relu in double", "Relu", inputs: [.activation([2, 3], .uniform(-1...1), dtype: .float64)]),
        ConformanceCase(
            "Abs of integers", "Abs", inputs: [.activation([2, 3], .integers(-5...5), dtype: .int64)]),
        ConformanceCase(
            "Neg of integers", "Neg", inputs: [.activation([2, 3], .integers(-5...5), dtype: .int64)]),
        ConformanceCase(
            "Sign of integers", "Sign", inputs: [.activation([2, 3], .integers(-5...5), dtype: .int8)]),

        ConformanceCase(
            "Clip between scalars", "Clip",
            inputs: [
                .activation([2, 3, 4], .avoiding([-0.5, 0.75], in: -2...2)), .constant(Tensor(Float(-0.5))),
                .constant(Tensor(Float(0.75))),
            ]),
        ConformanceCase(
            "Clip from above", "Clip",
            inputs: [
                .activation([2, 3], .avoiding([0.75], in: -2...2)), nil, .constant(Tensor(Float(0.75))),
            ]),
        ConformanceCase("Clip without ends", "Clip", inputs: [.activation([2, 3])]),
        ConformanceCase(
            "Clip between activations", "Clip",
            inputs: [
                .activation([2, 3], .avoiding([-0.5, 0.75], in: -2...2)),
                .activation([], .exactly(Tensor(Float(-0.5)))),
                .activation([], .exactly(Tensor(Float(0.75)))),
            ]),
        ConformanceCase(
            "Clip with crossed ends", "Clip",
            inputs: [.activation([2, 3]), .constant(Tensor(Float(1))), .constant(Tensor(Float(-1)))]),
        ConformanceCase(
            "Clip by attributes", "Clip", opset: 6, attributes: ["min": .float(0), "max": .float(6)],
            inputs: [.activation([2, 3], .avoiding([0, 6], in: -3...9))]),
        ConformanceCase(
            "Clip of integers", "Clip",
            inputs: [
                .activation([2, 3], .integers(-9...9), dtype: .int64), .constant(Tensor(Int64(-4))),
                .constant(Tensor(Int64(4))),
            ]),

        ConformanceCase("Identity", "Identity", inputs: [.activation([2, 3, 4])]),
        ConformanceCase(
            "Identity of truth values", "Identity",
            inputs: [.activation([2, 3], .integers(0...1), dtype: .bool)]),
        ConformanceCase("Dropout", "Dropout", inputs: [.activation([2, 3, 4])], training: .random),
        ConformanceCase(
            "Dropout with ratio and mask", "Dropout",
            inputs: [.activation([2, 3, 4]), .constant(Tensor(Float(0.25)))], outputs: 2, training: .random),
        ConformanceCase(
            "Dropout before operator set 10", "Dropout", opset: 7, attributes: ["ratio": .float(0.3)],
            inputs: [.activation([2, 3, 4])], outputs: 2, training: .random),
        cast("float to float", .float32, code: 1),
        cast("float to double", .float32, code: 11),
        cast("double to float", .float64, code: 1),
        cast("float to half", .float32, code: 10),
        cast("float to bfloat16", .float32, code: 16),
        cast("float to int32", .float32, code: 6),
        cast("float to bool", .float32, code: 9),
        cast("int64 to float", .int64, code: 1),
        cast("bool to float", .bool, code: 1),
        cast("int32 to int8", .int32, code: 3),
    ]

    private static func function(
        _ type: String, _ variant: String = "", opset: Int = 17, kinks: [Float] = [], margin: Float = 0.05,
        in range: ClosedRange<Float> = -3...3, attributes: [String: Attribute] = [:]
    ) -> ConformanceCase {
        ConformanceCase(
            variant.isEmpty ? type : "\(type) \(variant)", type, opset: opset, attributes: attributes,
            inputs: [.activation([2, 3, 4], .avoiding(kinks, margin: margin, in: range))])
    }

    private static func cast(_ variant: String, _ source: DType, code: Int64) -> ConformanceCase {
        ConformanceCase(
            "Cast \(variant)", "Cast", attributes: ["to": .int(code)],
            inputs: [
                .activation(
                    [2, 3], source.isFloatingPoint ? .uniform(-3...3) : .integers(0...3), dtype: source)
            ],
            // To a narrow type, both precisions may round differently; to integers nothing is continuous.
            tolerances: CaseTolerances(forward: Tolerance(relative: 1e-2, absolute: 1e-6)))
    }
}
