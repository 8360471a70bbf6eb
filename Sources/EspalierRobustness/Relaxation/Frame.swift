/// Where the coefficients of rows lie in a value: a window of each plane whose place depends on that of the neuron that the row
/// belongs to. One frame serves all neurons of a layer.
struct Frame: Hashable {
    /// Of a neuron at position p of its plane, the window begins at stride p + offset.
    struct Axis: Hashable {
        var stride: Int
        var offset: Int
        var extent: Int

        func start(at position: Int) -> Int { stride * position + offset }

        /// Whether windows of both move alike with neurons, so that one can hold the other.
        func isParallel(to other: Axis) -> Bool { stride == other.stride }

        func union(_ other: Axis) -> Axis {
            let start = min(offset, other.offset)
            return Axis(
                stride: stride, offset: start,
                extent: max(offset + extent, other.offset + other.extent) - start)
        }
    }

    var rows: Axis
    var columns: Axis

    /// All of the value.
    static func whole(_ value: PropagatedValue) -> Frame {
        Frame(
            rows: Axis(stride: 0, offset: 0, extent: value.height),
            columns: Axis(stride: 0, offset: 0, extent: value.width))
    }

    /// The neuron itself.
    static let neuron = Frame(
        rows: Axis(stride: 1, offset: 0, extent: 1), columns: Axis(stride: 1, offset: 0, extent: 1))

    /// The smallest that holds both and, if it would be as large as the value, all of that.
    func union(_ other: Frame, in value: PropagatedValue) -> Frame {
        guard rows.isParallel(to: other.rows), columns.isParallel(to: other.columns) else {
            return .whole(value)
        }
        return Frame(rows: rows.union(other.rows), columns: columns.union(other.columns)).limited(to: value)
    }

    func limited(to value: PropagatedValue) -> Frame {
        rows.extent * columns.extent >= value.height * value.width ? .whole(value) : self
    }

    func elementCount(of value: PropagatedValue) -> Int {
        value.channels * rows.extent * columns.extent
    }
}

/// A value of a network as rows of coefficients see it: that of one sample.
struct PropagatedValue {
    /// Planes with positions; 1 plane of 1 row for anything that is not channels of images.
    let channels: Int
    let height: Int
    let width: Int

    var count: Int { channels * height * width }
}
