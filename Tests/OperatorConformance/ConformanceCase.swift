import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// One node with inputs, on which the suite checks all that its operator promises.
///
/// A family of operators declares its cases in a file of its own under `Cases/`, as a static list which
/// ``all`` collects:
///
/// ```swift
/// extension ConformanceCase {
///     static let pooling: [ConformanceCase] = [
///         ConformanceCase(
///             "MaxPool 2x2", "MaxPool", attributes: ["kernel_shape": .ints([2, 2])],
///             inputs: [.activation([2, 3, 6, 6], .distinct(-1...1))])
///     ]
/// }
/// ```
///
/// Keep shapes small (gradients are checked element by element) but every extent at least 2, batch included, so
/// that something can be cut; keep values away from kinks, where no gradient exists.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// Unique; failures are reported by it.
    let name: String
    let operatorName: OperatorName
    let opset: Int
    let attributes: [String: Attribute]
    let inputs: [CaseInput?]
    let outputCount: Int
    var tolerances: CaseTolerances
    /// What the operator does in training when normalisation is not frozen.
    let training: TrainingBehaviour
    /// Whether axis 0 of the activations is a batch of samples that do not influence each other.
    let isBatched: Bool

    init(
        _ name: String, _ type: String, domain: String = "", opset: Int = 17,
        attributes: [String: Attribute] = [:], inputs: [CaseInput?], outputs: Int = 1,
        tolerances: CaseTolerances = CaseTolerances(), training: TrainingBehaviour = .asReference,
        isBatched: Bool = true
    ) {
        self.name = name
        operatorName = OperatorName(type, domain: domain)
        self.opset = opset
        self.attributes = attributes
        self.inputs = inputs
        outputCount = outputs
        self.tolerances = tolerances
        self.training = training
        self.isBatched = isBatched
    }

    var testDescription: String { name }
}

/// How exactly the parts of a case must agree.
struct CaseTolerances: Sendable {
    /// Kernels against the reference.
    var forward = Tolerance(relative: 1e-5, absolute: 1e-5)
    /// Backward kernels against central differences; the absolute part counts per largest expected gradient.
    var backward = Tolerance(relative: 1e-3, absolute: 1e-4)
    /// Pruned against masked, both by the reference in `Double`.
    var pruning = Tolerance(relative: 1e-9, absolute: 1e-9)
}

/// What an operator computes in training, with normalisation not frozen.
enum TrainingBehaviour: Sendable {
    case asReference
    /// Something else (batch statistics), given here in `Double`.
    case other(@Sendable (ReferenceCall<Double>) throws(OperatorError) -> [ReferenceValue<Double>])
    /// Something random: tests of its own.
    case random
}

/// One input of a case.
struct CaseInput: Sendable {
    enum Values: Sendable {
        case uniform(ClosedRange<Float>)
        /// Uniform, except within `margin` of the listed points (kinks, poles).
        case avoiding([Float], margin: Float = 0.05, in: ClosedRange<Float>)
        /// Evenly spaced in random order: no ties, no near ties.
        case distinct(ClosedRange<Float>)
        case integers(ClosedRange<Int64>)
        case exactly(Tensor)
    }

    let shape: Shape
    let dtype: DType
    let values: Values
    /// Whether it is known in advance: a parameter, or an operand such as a target shape.
    let isConstant: Bool

    /// A value that depends on the network's inputs.
    static func activation(
        _ shape: Shape, _ values: Values = .uniform(-2...2), dtype: DType = .float32
    ) -> CaseInput {
        CaseInput(shape: shape, dtype: dtype, values: values, isConstant: false)
    }

    /// A parameter, or another value known in advance.
    static func constant(
        _ shape: Shape, _ values: Values = .uniform(-1...1), dtype: DType = .float32
    ) -> CaseInput {
        CaseInput(shape: shape, dtype: dtype, values: values, isConstant: true)
    }

    static func constant(_ tensor: Tensor) -> CaseInput {
        CaseInput(shape: tensor.shape, dtype: tensor.dtype, values: .exactly(tensor), isConstant: true)
    }

    /// A vector of integers known in advance: axes, a target shape.
    static func integers(_ values: [Int64]) -> CaseInput {
        constant(Tensor(shape: [values.count], scalars: values))
    }

    func tensor(seed: UInt64) -> Tensor {
        switch values {
        case .uniform(let range): return .random(shape, in: range, seed: seed, dtype: dtype)
        case .distinct(let range): return .distinct(shape, in: range, seed: seed, dtype: dtype)
        case .integers(let range): return .randomIntegers(shape, in: range, seed: seed, dtype: dtype)
        case .exactly(let tensor): return tensor
        case .avoiding(let points, let margin, let range):
            var random = RandomSource(seed: seed)
            let scalars = (0..<shape.count).map { _ -> Float in
                for _ in 0..<1000 {
                    let value = random.uniform(in: range)
                    if points.allSatisfy({ abs($0 - value) > margin }) { return value }
                }
                return range.lowerBound
            }
            return Tensor(shape: shape, scalars: scalars).converted(to: dtype)
        }
    }
}
