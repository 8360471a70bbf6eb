/// A row-major array of one Swift type with its shape: what reference implementations compute on.
///
/// Clarity before speed; kernels work on raw memory instead.
@usableFromInline
package struct NDArray<Element: Sendable>: Sendable {
    @usableFromInline package let shape: Shape
    @usableFromInline package var elements: [Element]

    @inlinable package init(shape: Shape, elements: [Element]) {
        precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
        self.shape = shape
        self.elements = elements
    }

    @inlinable package init(repeating element: Element, shape: Shape) {
        self.init(shape: shape, elements: [Element](repeating: element, count: shape.count))
    }

    /// The position in ``elements`` of the element with the given coordinates.
    @inlinable package func position(_ coordinates: [Int]) -> Int {
        var position = 0
        for (axis, coordinate) in coordinates.enumerated() {
            position = position * shape.extents[axis] + coordinate
        }
        return position
    }

    /// The element at the given coordinates.
    @inlinable package subscript(_ coordinates: [Int]) -> Element {
        get { elements[position(coordinates)] }
        set { elements[position(coordinates)] = newValue }
    }

    /// The same elements under another shape of equal count.
    @inlinable package func reshaped(to shape: Shape) -> NDArray {
        NDArray(shape: shape, elements: elements)
    }

    /// Each element transformed.
    @inlinable package func map<Other>(_ transform: (Element) throws -> Other) rethrows -> NDArray<Other> {
        NDArray<Other>(shape: shape, elements: try elements.map(transform))
    }
}

extension Shape {
    /// Calls `body` with the coordinates of every element in row-major order.
    package func forEachCoordinate(_ body: ([Int]) throws -> Void) rethrows {
        guard count > 0 else { return }
        var coordinates = [Int](repeating: 0, count: rank)
        while true {
            try body(coordinates)
            var axis = rank - 1
            while axis >= 0 {
                coordinates[axis] += 1
                if coordinates[axis] < extents[axis] { break }
                coordinates[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }

    /// For each element of `target` in row-major order, the position of the element of this shape that
    /// broadcasting puts there.
    ///
    /// - Precondition: this shape broadcasts to `target`.
    package func broadcastPositions(in target: Shape) -> [Int] {
        let missing = target.rank - rank
        let own = strides
        let steps = target.extents.indices.map { axis -> Int in
            axis < missing || extents[axis - missing] == 1 ? 0 : own[axis - missing]
        }
        var positions: [Int] = []
        positions.reserveCapacity(target.count)
        target.forEachCoordinate { coordinates in
            var position = 0
            for axis in steps.indices { position += coordinates[axis] * steps[axis] }
            positions.append(position)
        }
        return positions
    }
}
