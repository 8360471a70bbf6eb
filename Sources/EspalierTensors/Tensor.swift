/// A dense, row-major array of numbers: a value, whose copies share memory until one of them is written to.
///
/// ```swift
/// let weight = Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float])
/// let doubled = weight.scalars(as: Float.self).map { 2 * $0 }
/// ```
public struct Tensor: Sendable {
    /// The extents of its axes.
    public let shape: Shape
    /// The type of its elements.
    public let dtype: DType
    package private(set) var storage: AlignedStorage

    /// A tensor of zeros.
    public init(zeros shape: Shape, dtype: DType = .float32) {
        self.shape = shape
        self.dtype = dtype
        storage = AlignedStorage(byteCount: shape.count * dtype.byteCount)
    }

    /// A tensor of `scalars` in row-major order.
    ///
    /// - Precondition: `scalars.count == shape.count`.
    public init<Scalar: TensorScalar>(shape: Shape, scalars: [Scalar]) {
        precondition(scalars.count == shape.count, "\(scalars.count) scalars for shape \(shape)")
        self.init(zeros: shape, dtype: Scalar.dtype)
        scalars.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount).copyMemory(
                from: source)
        }
    }

    /// A scalar tensor.
    public init<Scalar: TensorScalar>(_ scalar: Scalar) {
        self.init(shape: [], scalars: [scalar])
    }

    /// A tensor whose memory is written by `fill`, which gets the zeroed bytes.
    public init(
        shape: Shape, dtype: DType, filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        self.init(zeros: shape, dtype: dtype)
        try fill(UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount))
    }

    /// The number of elements.
    public var count: Int { shape.count }

    /// The size of the elements in bytes.
    public var byteCount: Int { count * dtype.byteCount }

    /// The same elements under another shape of equal count.
    public func reshaped(to shape: Shape) -> Tensor {
        precondition(shape.count == count, "cannot view \(self.shape) as \(shape)")
        return Tensor(shape: shape, dtype: dtype, storage: storage)
    }

    /// - Precondition: `storage` has as many bytes as the elements.
    package init(shape: Shape, dtype: DType, storage: AlignedStorage) {
        precondition(
            storage.byteCount == shape.count * dtype.byteCount, "\(storage.byteCount) bytes for \(shape)")
        self.shape = shape
        self.dtype = dtype
        self.storage = storage
    }
}

// MARK: - Access to elements

extension Tensor {
    /// Calls `body` with the elements' memory.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        try body(UnsafeRawBufferPointer(start: storage.base, count: byteCount))
    }

    /// Calls `body` with the elements' memory for writing, after making this tensor its only owner.
    public mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        if storage.isReadOnly || !isKnownUniquelyReferenced(&storage) {
            storage = AlignedStorage(copying: storage)
        }
        return try body(UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount))
    }

    /// Calls `body` with the elements.
    ///
    /// - Precondition: `Scalar.dtype == dtype`.
    public func withUnsafeScalars<Scalar: TensorScalar, Result>(
        of type: Scalar.Type, _ body: (UnsafeBufferPointer<Scalar>) throws -> Result
    ) rethrows -> Result {
        precondition(Scalar.dtype == dtype, "a \(dtype) tensor read as \(Scalar.dtype)")
        return try withUnsafeBytes { try body($0.bindMemory(to: Scalar.self)) }
    }

    /// Calls `body` with the elements for writing.
    ///
    /// - Precondition: `Scalar.dtype == dtype`.
    public mutating func withUnsafeMutableScalars<Scalar: TensorScalar, Result>(
        of type: Scalar.Type, _ body: (UnsafeMutableBufferPointer<Scalar>) throws -> Result
    ) rethrows -> Result {
        precondition(Scalar.dtype == dtype, "a \(dtype) tensor written as \(Scalar.dtype)")
        return try withUnsafeMutableBytes { try body($0.bindMemory(to: Scalar.self)) }
    }
}

// MARK: - Zeros

extension Tensor {
    /// The number of elements that are not zero; not-a-number is not zero.
    package var nonzeroCount: Int {
        dtype == .float32
            ? withUnsafeScalars(of: Float.self) { $0.reduce(0) { $1 == 0 ? $0 : $0 + 1 } }
            : scalars(as: Double.self).reduce(0) { $1 == 0 ? $0 : $0 + 1 }
    }
}

// MARK: - Conversion

extension Tensor {
    /// All elements converted to `Float`, whatever the tensor's type.
    public func scalars(as type: Float.Type) -> [Float] {
        switch dtype {
        case .float32: withUnsafeScalars(of: Float.self) { Array($0) }
        case .float16: withUnsafeBytes { $0.bindMemory(to: UInt16.self).map(HalfPrecision.float(float16:)) }
        case .bfloat16: withUnsafeBytes { $0.bindMemory(to: UInt16.self).map(HalfPrecision.float(bfloat16:)) }
        case .float64: withUnsafeScalars(of: Double.self) { $0.map { Float($0) } }
        case .uint64: withUnsafeScalars(of: UInt64.self) { $0.map { Float($0) } }
        default: scalars(as: Int64.self).map { Float($0) }
        }
    }

    /// All elements converted to `Double`, whatever the tensor's type.
    public func scalars(as type: Double.Type) -> [Double] {
        switch dtype {
        case .float64: withUnsafeScalars(of: Double.self) { Array($0) }
        case .float32, .float16, .bfloat16: scalars(as: Float.self).map { Double($0) }
        case .uint64: withUnsafeScalars(of: UInt64.self) { $0.map { Double($0) } }
        default: scalars(as: Int64.self).map { Double($0) }
        }
    }

    /// All elements converted to `Int64`; floating-point ones towards zero and clamped to the type's range,
    /// not-a-number to 0; booleans to 0 and 1; `uint64` modulo 2^64.
    public func scalars(as type: Int64.Type) -> [Int64] {
        func widened<Scalar: TensorScalar & BinaryInteger>(_: Scalar.Type) -> [Int64] {
            withUnsafeScalars(of: Scalar.self) { $0.map { Int64(truncatingIfNeeded: $0) } }
        }
        return switch dtype {
        case .int64: withUnsafeScalars(of: Int64.self) { Array($0) }
        case .int8: widened(Int8.self)
        case .int16: widened(Int16.self)
        case .int32: widened(Int32.self)
        case .uint8: widened(UInt8.self)
        case .uint16: widened(UInt16.self)
        case .uint32: widened(UInt32.self)
        case .uint64: widened(UInt64.self)
        // Read as bytes: memory from a file may hold values other than 0 and 1, which `Bool` must not.
        case .bool: withUnsafeBytes { $0.map { $0 == 0 ? 0 : 1 } }
        case .float32, .float64, .float16, .bfloat16:
            scalars(as: Double.self).map { value in
                if value.isNaN { return 0 }
                return Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
            }
        }
    }

    /// All elements converted to `UInt64`, as they are to `Int64`; what is negative modulo 2^64.
    public func scalars(as type: UInt64.Type) -> [UInt64] {
        guard dtype.isFloatingPoint else {
            return dtype == .uint64
                ? withUnsafeScalars(of: UInt64.self) { Array($0) }
                : scalars(as: Int64.self).map { UInt64(bitPattern: $0) }
        }
        return zip(scalars(as: Double.self), scalars(as: Int64.self)).map { value, integer in
            // Beyond the range of `Int64`.
            value >= 0x1p63
                ? UInt64(exactly: value.rounded(.towardZero)) ?? .max : UInt64(bitPattern: integer)
        }
    }

    /// A copy with elements of another type, converted as ONNX `Cast` does (round to nearest even for narrower
    /// floating-point types, towards zero for integers, zero to false).
    public func converted(to target: DType) -> Tensor {
        if target == dtype { return self }
        func narrowed<Scalar: TensorScalar & FixedWidthInteger>(_: Scalar.Type) -> Tensor {
            Tensor(shape: shape, scalars: scalars(as: Int64.self).map { Scalar(truncatingIfNeeded: $0) })
        }
        switch target {
        case .float32: return Tensor(shape: shape, scalars: scalars(as: Float.self))
        case .float64: return Tensor(shape: shape, scalars: scalars(as: Double.self))
        case .float16, .bfloat16:
            let encode = target == .float16 ? HalfPrecision.float16(_:) : HalfPrecision.bfloat16(_:)
            let bits = scalars(as: Float.self).map(encode)
            return Tensor(shape: shape, dtype: target) { bytes in
                bits.withUnsafeBytes { bytes.copyMemory(from: $0) }
            }
        case .bool:
            let truth: [Bool] =
                dtype.isFloatingPoint
                ? scalars(as: Double.self).map { $0 != 0 } : scalars(as: Int64.self).map { $0 != 0 }
            return Tensor(shape: shape, scalars: truth)
        case .int8: return narrowed(Int8.self)
        case .int16: return narrowed(Int16.self)
        case .int32: return narrowed(Int32.self)
        case .int64: return narrowed(Int64.self)
        case .uint8: return narrowed(UInt8.self)
        case .uint16: return narrowed(UInt16.self)
        case .uint32: return narrowed(UInt32.self)
        case .uint64: return Tensor(shape: shape, scalars: scalars(as: UInt64.self))
        }
    }
}
