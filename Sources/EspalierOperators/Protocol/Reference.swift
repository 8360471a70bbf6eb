package import EspalierTensors

/// The two types references run in: `Float`, as networks do, and `Double`, to check gradients against.
package protocol ReferenceReal: BinaryFloatingPoint, TensorScalar, ElementaryFunctions {}

/// The functions of one real variable that operators need, for both precisions, from the C library.
package protocol ElementaryFunctions {
    static func exp(_ x: Self) -> Self
    static func expMinusOne(_ x: Self) -> Self
    static func log(_ x: Self) -> Self
    static func log1p(_ x: Self) -> Self
    static func tanh(_ x: Self) -> Self
    static func erf(_ x: Self) -> Self
    static func sin(_ x: Self) -> Self
    static func cos(_ x: Self) -> Self
    static func pow(_ x: Self, _ y: Self) -> Self
}

/// A value on which references compute. All floating-point types are `Real`, all integer types 64 bits wide, with a sign
/// unless they are `uint64`; what the node declares is restored by the caller from the inferred ``ValueFacts``.
package enum ReferenceValue<Real: ReferenceReal>: Sendable {
    case real(NDArray<Real>)
    case integer(NDArray<Int64>)
    case unsigned(NDArray<UInt64>)
    case boolean(NDArray<Bool>)

    package init(_ tensor: Tensor) {
        switch tensor.dtype {
        case .bool:
            self = .boolean(
                NDArray(shape: tensor.shape, elements: tensor.scalars(as: Int64.self).map { $0 != 0 }))
        case _ where tensor.dtype.isFloatingPoint:
            let elements: [Real] =
                Real.self == Float.self
                ? tensor.scalars(as: Float.self).map { Real($0) }
                : tensor.scalars(as: Double.self).map { Real($0) }
            self = .real(NDArray(shape: tensor.shape, elements: elements))
        case .uint64:
            self = .unsigned(NDArray(shape: tensor.shape, elements: tensor.scalars(as: UInt64.self)))
        default:
            self = .integer(NDArray(shape: tensor.shape, elements: tensor.scalars(as: Int64.self)))
        }
    }

    package var shape: Shape {
        switch self {
        case .real(let array): array.shape
        case .integer(let array): array.shape
        case .unsigned(let array): array.shape
        case .boolean(let array): array.shape
        }
    }

    /// Whether the elements are whole numbers.
    package var isInteger: Bool {
        switch self {
        case .integer, .unsigned: true
        case .real, .boolean: false
        }
    }

    /// The value as a tensor of the given type.
    package func tensor(as dtype: DType) -> Tensor {
        let own: Tensor =
            switch self {
            case .real(let array): Tensor(shape: array.shape, scalars: array.elements)
            case .integer(let array): Tensor(shape: array.shape, scalars: array.elements)
            case .unsigned(let array): Tensor(shape: array.shape, scalars: array.elements)
            case .boolean(let array): Tensor(shape: array.shape, scalars: array.elements)
            }
        return own.converted(to: dtype)
    }

    /// The same elements under another shape of equal count.
    package func reshaped(to shape: Shape) -> ReferenceValue {
        switch self {
        case .real(let array): .real(array.reshaped(to: shape))
        case .integer(let array): .integer(array.reshaped(to: shape))
        case .unsigned(let array): .unsigned(array.reshaped(to: shape))
        case .boolean(let array): .boolean(array.reshaped(to: shape))
        }
    }

    /// The elements at `positions` of the flat array, under a new shape: what every data movement is.
    package func gathered(_ positions: [Int], shape: Shape) -> ReferenceValue {
        switch self {
        case .real(let array):
            .real(NDArray(shape: shape, elements: positions.map { array.elements[$0] }))
        case .integer(let array):
            .integer(NDArray(shape: shape, elements: positions.map { array.elements[$0] }))
        case .unsigned(let array):
            .unsigned(NDArray(shape: shape, elements: positions.map { array.elements[$0] }))
        case .boolean(let array):
            .boolean(NDArray(shape: shape, elements: positions.map { array.elements[$0] }))
        }
    }
}

/// The inputs of one reference computation, with checked access, and the facts inferred for its outputs.
package struct ReferenceCall<Real: ReferenceReal>: Sendable {
    package let inputs: [ReferenceValue<Real>?]
    /// The facts inference gave for the outputs, so that shapes need not be derived twice.
    package let outputs: [ValueFacts]

    package init(inputs: [ReferenceValue<Real>?], outputs: [ValueFacts]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    package func hasInput(_ port: Int) -> Bool {
        inputs.indices.contains(port) && inputs[port] != nil
    }

    package func value(_ port: Int) throws(OperatorError) -> ReferenceValue<Real> {
        guard inputs.indices.contains(port), let value = inputs[port] else { throw .missingInput(port) }
        return value
    }

    package func real(_ port: Int) throws(OperatorError) -> NDArray<Real> {
        guard case .real(let array) = try value(port) else {
            throw .input(port, problem: "expected floating-point numbers")
        }
        return array
    }

    /// Whole numbers of any type, those of `uint64` modulo 2^64: the same bits.
    package func integer(_ port: Int) throws(OperatorError) -> NDArray<Int64> {
        switch try value(port) {
        case .integer(let array): return array
        case .unsigned(let array): return array.map { Int64(bitPattern: $0) }
        case .real, .boolean: throw .input(port, problem: "expected integers")
        }
    }

    package func unsigned(_ port: Int) throws(OperatorError) -> NDArray<UInt64> {
        guard case .unsigned(let array) = try value(port) else {
            throw .input(port, problem: "expected integers of type uint64")
        }
        return array
    }

    package func boolean(_ port: Int) throws(OperatorError) -> NDArray<Bool> {
        guard case .boolean(let array) = try value(port) else {
            throw .input(port, problem: "expected booleans")
        }
        return array
    }
}
