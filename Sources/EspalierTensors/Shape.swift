/// The extents of a tensor, outermost axis first; row-major. The empty shape is a scalar's.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// One for each axis.
    public var extents: [Int]

    public init(_ extents: [Int]) {
        self.extents = extents
    }

    public init(arrayLiteral extents: Int...) {
        self.extents = extents
    }

    /// The number of axes.
    public var rank: Int { extents.count }

    /// The number of elements: the product of the extents, 1 for a scalar.
    ///
    /// Only shapes that were checked with ``checkedCount(limit:)`` may be used for sizes that come from a file.
    public var count: Int { extents.reduce(1, *) }

    /// The number of elements, or nil if an extent is negative or the product of those that are not zero exceeds `limit`:
    /// an extent of zero leaves no elements, but strides and counts of some of the axes multiply the others.
    public func checkedCount(limit: Int = 1 << 40) -> Int? {
        var product = 1
        for extent in extents where extent != 0 {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard extent > 0, !overflow, next <= limit else { return nil }
            product = next
        }
        return extents.contains(0) ? 0 : product
    }

    /// The extent of an axis.
    public subscript(axis: Int) -> Int {
        get { extents[axis] }
        set { extents[axis] = newValue }
    }

    /// Row-major strides in elements.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * extents[axis + 1]
        }
        return strides
    }

    /// The axis that `axis` names, where negative numbers count from the end as in ONNX; nil if out of range.
    public func normalized(axis: Int) -> Int? {
        let result = axis < 0 ? axis + rank : axis
        return (0..<rank).contains(result) ? result : nil
    }

    /// The shape both broadcast to by the ONNX (NumPy) rules, or nil if they do not agree.
    public func broadcast(with other: Shape) -> Shape? {
        let rank = Swift.max(self.rank, other.rank)
        var result = [Int](repeating: 1, count: rank)
        for back in 1..<(rank + 1) {
            let mine = back <= self.rank ? extents[self.rank - back] : 1
            let theirs = back <= other.rank ? other.extents[other.rank - back] : 1
            guard mine == theirs || mine == 1 || theirs == 1 else { return nil }
            result[rank - back] = mine == 1 ? theirs : mine
        }
        return Shape(result)
    }

    /// The product of the extents in `range` of axes.
    public func count(_ range: Range<Int>) -> Int {
        extents[range].reduce(1, *)
    }

    public var description: String {
        extents.isEmpty ? "scalar" : extents.map(String.init).joined(separator: "x")
    }
}

extension Shape: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([Int].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(extents)
    }
}
