public import EspalierTensors

/// Which elements of one parameter are kept.
public struct Mask: Sendable, Equatable {
    /// That of the parameter.
    public let shape: Shape
    /// Row-major, one flag per element: true keeps it.
    public private(set) var kept: [Bool]

    /// - Precondition: there is one flag for each element.
    public init(shape: Shape, kept: [Bool]) {
        precondition(kept.count == shape.count, "\(kept.count) flags for shape \(shape)")
        self.shape = shape
        self.kept = kept
    }

    /// A mask that keeps everything.
    public init(keepingAll shape: Shape) {
        self.init(shape: shape, kept: [Bool](repeating: true, count: shape.count))
    }

    /// A mask that keeps the nonzero elements of `tensor`: how a pruned file tells its own masks.
    public init(nonzeroOf tensor: Tensor) {
        self.init(shape: tensor.shape, kept: tensor.scalars(as: Float.self).map { $0 != 0 })
    }

    /// How many elements are kept.
    public var keptCount: Int { kept.reduce(0) { $1 ? $0 + 1 : $0 } }

    /// How many elements are kept at each coordinate of `axis`.
    public func keptCounts(axis: Int) -> [Int] {
        let inner = shape.count((axis + 1)..<shape.rank)
        var counts = [Int](repeating: 0, count: shape[axis])
        for (position, keep) in kept.enumerated() where keep { counts[position / inner % shape[axis]] += 1 }
        return counts
    }

    /// Whether the element at a row-major position is kept.
    public subscript(position: Int) -> Bool {
        get { kept[position] }
        set { kept[position] = newValue }
    }

    /// Drops every element whose coordinate on `axis` is `index`.
    public mutating func dropSlice(axis: Int, index: Int) {
        let inner = shape.count((axis + 1)..<shape.rank)
        let extent = shape[axis]
        for outer in 0..<shape.count(0..<axis) {
            let start = (outer * extent + index) * inner
            for position in start..<(start + inner) { kept[position] = false }
        }
    }

    /// `tensor` with the dropped elements zero.
    ///
    /// - Precondition: `tensor` has the mask's shape.
    public func applied(to tensor: Tensor) -> Tensor {
        precondition(tensor.shape == shape, "mask \(shape) for tensor \(tensor.shape)")
        let width = tensor.dtype.byteCount
        var result = tensor
        // A zero is all zero bits in every numeric type.
        result.withUnsafeMutableBytes { bytes in
            for (position, keep) in kept.enumerated() where !keep {
                for byte in (position * width)..<((position + 1) * width) { bytes[byte] = 0 }
            }
        }
        return result
    }
}

/// The masks of a network's parameters. A parameter without one is kept whole.
public struct MaskSet: Sendable, Equatable {
    /// By the constant that each is for.
    public var masks: [ValueID: Mask]

    public init(_ masks: [ValueID: Mask] = [:]) {
        self.masks = masks
    }

    /// The mask of a constant; nil if all of it is kept.
    public subscript(id: ValueID) -> Mask? {
        get { masks[id] }
        set { masks[id] = newValue }
    }

    /// Drops what either set drops.
    package func united(with other: MaskSet) -> MaskSet {
        MaskSet(
            masks.merging(other.masks) { one, other in
                Mask(shape: one.shape, kept: zip(one.kept, other.kept).map { $0 && $1 })
            })
    }

    /// `graph` with masked constants' dropped elements zero.
    ///
    /// - Throws: ``GraphError`` `unknownValue` or `maskMismatch` if the masks are of another network.
    public func applied(to graph: Graph) throws(GraphError) -> Graph {
        var patch = Patch(for: graph)
        for (id, mask) in masks {
            guard let tensor = graph.constants[id] else { throw .unknownValue(id) }
            guard tensor.shape == mask.shape else {
                throw .maskMismatch(name: graph.name(of: id), mask: mask.shape, constant: tensor.shape)
            }
            patch.append(.setConstant(id, mask.applied(to: tensor)))
        }
        return try graph.applying(patch)
    }
}
