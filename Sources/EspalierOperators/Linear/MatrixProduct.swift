import EspalierTensors

/// The extents of a batch of matrix products by NumPy's rules: the last two axes multiply, those before broadcast, and
/// a vector counts as one row on the left and as one column on the right.
struct MatrixProduct: Hashable, Sendable {
    let rows: Int
    let inner: Int
    let columns: Int
    /// The broadcast leading axes, and those of each side.
    let batch: Shape
    let leftBatch: Shape
    let rightBatch: Shape
    let leftIsVector: Bool
    let rightIsVector: Bool

    init(left: Shape, right: Shape) throws(OperatorError) {
        guard left.rank > 0, right.rank > 0 else {
            throw .shapes("cannot multiply \(left) by \(right): both must have an axis to sum over")
        }
        leftIsVector = left.rank == 1
        rightIsVector = right.rank == 1
        rows = leftIsVector ? 1 : left[left.rank - 2]
        inner = left[left.rank - 1]
        columns = rightIsVector ? 1 : right[right.rank - 1]
        leftBatch = Shape(Array(left.extents.dropLast(2)))
        rightBatch = Shape(Array(right.extents.dropLast(2)))
        let rightInner = rightIsVector ? right[0] : right[right.rank - 2]
        guard inner == rightInner, let batch = leftBatch.broadcast(with: rightBatch) else {
            throw .shapes("cannot multiply \(left) by \(right)")
        }
        self.batch = batch
    }

    /// The shape of the result: the axis that a vector was given is dropped again.
    var output: Shape {
        Shape(batch.extents + (leftIsVector ? [] : [rows]) + (rightIsVector ? [] : [columns]))
    }

    /// Multiply-accumulates with `leftNonzeros` and `rightNonzeros` elements that are not zero (nil: all).
    func multiplyAccumulates(leftNonzeros: Int?, rightNonzeros: Int?) -> Int {
        let dense = saturatingProduct(batch.count, rows, inner, columns)
        // Each element of a side is used once per batch entry it is broadcast to and line of the other side.
        func uses(_ nonzeros: Int?, of side: Shape, lines: Int) -> Int {
            guard let nonzeros, side.count > 0 else { return dense }
            return saturatingProduct(nonzeros, batch.count / side.count, lines)
        }
        return min(
            uses(leftNonzeros, of: leftBatch, lines: columns),
            uses(rightNonzeros, of: rightBatch, lines: rows))
    }

    /// The product of row-major `left` and `right`, either of which may be stored transposed; `add` adds to its first
    /// argument the product of the other two.
    func multiply<Element: AdditiveArithmetic>(
        _ left: [Element], transposed leftTransposed: Bool = false,
        _ right: [Element], transposed rightTransposed: Bool = false,
        adding add: (inout Element, Element, Element) -> Void
    ) -> [Element] {
        let leftStarts = leftBatch.broadcastPositions(in: batch).map { $0 * rows * inner }
        let rightStarts = rightBatch.broadcastPositions(in: batch).map { $0 * inner * columns }
        let (leftRow, leftInner) = leftTransposed ? (1, rows) : (inner, 1)
        let (rightInner, rightColumn) = rightTransposed ? (1, inner) : (columns, 1)
        var result = [Element](repeating: .zero, count: batch.count * rows * columns)
        for entry in 0..<batch.count {
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum = Element.zero
                    var leftPosition = leftStarts[entry] + row * leftRow
                    var rightPosition = rightStarts[entry] + column * rightColumn
                    for _ in 0..<inner {
                        add(&sum, left[leftPosition], right[rightPosition])
                        leftPosition += leftInner
                        rightPosition += rightInner
                    }
                    result[(entry * rows + row) * columns + column] = sum
                }
            }
        }
        return result
    }
}

/// The product of numbers that are not negative, or the largest integer where that overflows: costs of shapes from
/// files may be absurd.
func saturatingProduct(_ factors: Int...) -> Int {
    if factors.contains(0) { return 0 }
    var product = 1
    for factor in factors {
        let (next, overflow) = product.multipliedReportingOverflow(by: factor)
        if overflow { return .max }
        product = next
    }
    return product
}

extension OperatorInputs {
    /// The common type of two inputs that are multiplied: floating-point or integer numbers.
    func multipliedType(_ first: Int, _ second: Int) throws(OperatorError) -> DType {
        let dtype = try required(first).dtype
        guard dtype != .bool else { throw .input(first, problem: "cannot multiply truth values") }
        let other = try required(second).dtype
        guard other == dtype else {
            throw .input(second, problem: "is \(other.rawValue) where input \(first) is \(dtype.rawValue)")
        }
        return dtype
    }
}
