package import EspalierGraphs

/// One axis of one value of a graph.
package struct ValueAxis: Hashable, Sendable, Comparable {
    package let value: ValueID
    package let axis: Int

    package init(_ value: ValueID, axis: Int) {
        self.value = value
        self.axis = axis
    }

    package static func < (left: ValueAxis, right: ValueAxis) -> Bool {
        (left.value, left.axis) < (right.value, right.axis)
    }
}
