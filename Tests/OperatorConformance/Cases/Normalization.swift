import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport

extension ConformanceCase {
    static let normalization: [ConformanceCase] = batch + layer + softmax

    private static let batch: [ConformanceCase] = [
        ConformanceCase(
            "BatchNormalization", "BatchNormalization", attributes: ["epsilon": .float(1e-3)],
            inputs: batchInputs([4, 3, 2, 3]), tolerances: batchTolerances, training: inBatches(epsilon: 1e-3)
        ),
        ConformanceCase(
            "BatchNormalization of rows", "BatchNormalization", inputs: batchInputs([5, 4]),
            tolerances: batchTolerances, training: inBatches(epsilon: 1e-5)),
        ConformanceCase(
            "BatchNormalization of one axis, many channels", "BatchNormalization",
            inputs: batchInputs([3, 19, 4]), tolerances: batchTolerances, training: inBatches(epsilon: 1e-5)),
        ConformanceCase(
            "BatchNormalization in training mode", "BatchNormalization",
            attributes: ["training_mode": .int(1), "momentum": .float(0.8)],
            inputs: batchInputs([4, 3, 2], dtype: .float64), outputs: 3),
        ConformanceCase(
            "BatchNormalization in the old training mode", "BatchNormalization", opset: 9,
            inputs: batchInputs([4, 3, 2], dtype: .float64), outputs: 5),
    ]

    private static let batchTolerances = CaseTolerances(
        forward: Tolerance(relative: 1e-4, absolute: 1e-5),
        backward: Tolerance(relative: 2e-3, absolute: 5e-4))

    private static func batchInputs(_ shape: Shape, dtype: DType = .float32) -> [CaseInput?] {
        let channels = Shape([shape[1]])
        return [
            .activation(shape, .uniform(-2...2), dtype: dtype),
            .constant(channels, .uniform(0.5...1.5), dtype: dtype), .constant(channels, dtype: dtype),
            .constant(channels, dtype: dtype), .constant(channels, .uniform(0.5...2), dtype: dtype),
        ]
    }

    /// Normalisation by the batch's own mean and variance, written out.
    private static func inBatches(epsilon: Double) -> TrainingBehaviour {
        .other { call throws(OperatorError) in
            let (input, scale, shift) = (try call.real(0), try call.real(1), try call.real(2))
            let channels = input.shape[1]
            let positions = input.shape.count(2..<input.shape.rank)
            var output = input
            for channel in 0..<channels {
                let members = input.elements.indices.filter { $0 / positions % channels == channel }
                let mean = members.reduce(0) { $0 + input.elements[$1] } / Double(members.count)
                let squares = members.reduce(0) { $0 + input.elements[$1] * input.elements[$1] }
                let variance = squares / Double(members.count) - mean * mean
                for member in members {
                    output.elements[member] =
                        (input.elements[member] - mean) / (variance + epsilon).squareRoot()
                        * scale.elements[channel] + shift.elements[channel]
                }
            }
            return [.real(output)]
        }
    }

    private static let layer: [ConformanceCase] = [
        ConformanceCase(
            "LayerNormalization", "LayerNormalization",
            inputs: [.activation([2, 3, 8]), .constant([8], .uniform(0.5...1.5)), .constant([8])]),
        ConformanceCase(
            "LayerNormalization of two axes, without shift", "LayerNormalization",
            attributes: ["axis": .int(1), "epsilon": .float(0.01)],
            inputs: [.activation([3, 4, 2]), .constant([4, 2])]),
        ConformanceCase(
            "LayerNormalization with statistics", "LayerNormalization",
            inputs: [
                .activation([2, 3, 4], dtype: .float64), .constant([4], dtype: .float64),
                .constant([1], dtype: .float64),
            ], outputs: 3),
    ]

    private static let softmax: [ConformanceCase] = ["Softmax", "LogSoftmax"].flatMap { type in
        [
            ConformanceCase(type, type, inputs: [.activation([3, 5])]),
            ConformanceCase(
                "\(type) of channels", type, attributes: ["axis": .int(1)], inputs: [.activation([2, 4, 3])]),
            ConformanceCase("\(type), the old way", type, opset: 11, inputs: [.activation([2, 2, 3])]),
            ConformanceCase(
                "\(type), the old way, along everything", type, opset: 7, attributes: ["axis": .int(0)],
                inputs: [.activation([2, 3])]),
            ConformanceCase(
                "\(type) far from zero", type,
                inputs: [.constant(Tensor(shape: [2, 2], scalars: [1000, 1001, -1000, -1003] as [Float]))],
                tolerances: CaseTolerances(forward: Tolerance(relative: 1e-4, absolute: 1e-4))),
            ConformanceCase("\(type) of nothing", type, inputs: [.activation([0, 3])]),
        ]
    }
}
