/// A matrix, row-major: rows are outputs, columns inputs.
package struct MatrixMap: Sendable {
    package let rows: Int
    package let columns: Int
    package let elements: [Double]

    /// - Precondition: there are rows * columns elements.
    package init(rows: Int, columns: Int, elements: [Double]) {
        precondition(elements.count == rows * columns, "\(elements.count) elements for \(rows) x \(columns)")
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    package var transposed: MatrixMap {
        var result = [Double](repeating: 0, count: elements.count)
        for row in 0..<rows {
            for column in 0..<columns { result[column * rows + row] = elements[row * columns + column] }
        }
        return MatrixMap(rows: columns, columns: rows, elements: result)
    }

    /// The map whose outputs are multiplied by `scale`, one factor each; itself for nil.
    func scalingRows(by scale: [Double]?) -> MatrixMap {
        guard let scale else { return self }
        var result = elements
        for index in result.indices { result[index] *= scale[index / columns] }
        return MatrixMap(rows: rows, columns: columns, elements: result)
    }

    func mapElements(_ transform: (Double) -> Double) -> MatrixMap {
        MatrixMap(rows: rows, columns: columns, elements: elements.map(transform))
    }

    func apply(_ vector: [Double]) -> [Double] {
        elements.withUnsafeBufferPointer { elements in
            vector.withUnsafeBufferPointer { vector in
                guard let elements = elements.baseAddress, let vector = vector.baseAddress else {
                    return [Double](repeating: 0, count: rows)
                }
                return (0..<rows).map { dotProduct(elements + $0 * columns, vector, count: columns) }
            }
        }
    }

    func applyTransposed(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        elements.withUnsafeBufferPointer { elements in
            result.withUnsafeMutableBufferPointer { result in
                guard let source = elements.baseAddress, let target = result.baseAddress else { return }
                for row in 0..<rows {
                    addScaled(source + row * columns, by: vector[row], to: target, count: columns)
                }
            }
        }
        return result
    }
}

extension MatrixMap {
    /// The mean of so many elements.
    static func mean(of count: Int) -> MatrixMap {
        MatrixMap(rows: 1, columns: count, elements: [Double](repeating: 1 / Double(count), count: count))
    }
}
