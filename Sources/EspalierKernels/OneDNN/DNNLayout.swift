import COneDNN
package import EspalierTensors

/// How the elements of a tensor lie in memory: row-major, strided, or in the blocks that oneDNN's kernels want. They are
/// 32-bit floating point numbers unless said otherwise.
///
/// Immutable. Two layouts are equal if tensors in them are the same bytes, however oneDNN describes them; so a
/// reorder is needed exactly between layouts that differ.
package final class DNNLayout: @unchecked Sendable {
    // Unchecked: the C object is never written to after it was made.
    let handle: OpaquePointer

    /// The logical extents. Never empty: a scalar has the shape 1.
    package let shape: Shape
    package let element: DNNElement
    /// The bytes a tensor takes, including the padding of its last blocks.
    package let byteCount: Int
    /// Whether its bytes are those of a row-major `float32` tensor without gaps.
    package let isPlain: Bool
    /// The strides in elements, or nil if the layout has blocks or is known to oneDNN only.
    package let strides: [Int]?
    /// A short description in oneDNN's notation, such as `aBcd16b` for channels in blocks of 16.
    package let name: String

    /// Takes over a C object; nil becomes the calling thread's last failure.
    init(adopting handle: OpaquePointer?) throws(DNNError) {
        guard let handle else { throw DNNError.last() }
        self.handle = handle
        let rank = Int(espalier_dnn_layout_rank(handle))
        let extents = UnsafeBufferPointer(start: espalier_dnn_layout_extents(handle), count: rank)
        shape = Shape(extents.map { Int($0) })
        element = espalier_dnn_layout_element(handle) == ESPALIER_DNN_BFLOAT16 ? .bfloat16 : .float32
        byteCount = espalier_dnn_layout_byte_count(handle)
        isPlain = espalier_dnn_layout_is_plain(handle)
        strides = espalier_dnn_layout_strides(handle).map { strides in
            UnsafeBufferPointer(start: strides, count: rank).map { Int($0) }
        }
        name = String(cString: espalier_dnn_layout_name(handle))
    }

    deinit { espalier_dnn_layout_destroy(handle) }
}

/// The type of a tensor's elements.
package enum DNNElement: Sendable, Hashable {
    case float32
    /// The upper half of a `float32`. Only for operands of convolutions and products, and for copies.
    case bfloat16

    var code: espalier_dnn_element {
        switch self {
        case .float32: ESPALIER_DNN_FLOAT32
        case .bfloat16: ESPALIER_DNN_BFLOAT16
        }
    }
}

// MARK: - Making layouts

extension DNNLayout {
    /// Row-major, without gaps. A scalar becomes a vector of one element.
    ///
    /// - Throws: `DNNError` for more than 12 axes or extents whose product overflows.
    package static func plain(_ shape: Shape) throws(DNNError) -> DNNLayout {
        let extents = shape.rank == 0 ? [1] : shape.extents.map { Int64($0) }
        return try DNNLayout(adopting: espalier_dnn_layout_plain(extents, Int32(extents.count)))
    }

    /// With the distances in elements between neighbours along each axis: transposed and sliced views.
    package static func strided(_ shape: Shape, strides: [Int]) throws(DNNError) -> DNNLayout {
        guard strides.count == shape.rank else {
            throw DNNError(.invalid, "\(strides.count) strides for the \(shape.rank) axes of \(shape)")
        }
        let extents = shape.extents.map { Int64($0) }
        return try DNNLayout(
            adopting: espalier_dnn_layout_strided(extents, strides.map { Int64($0) }, Int32(shape.rank)))
    }

    /// N x C x spatial with the channels innermost in memory.
    ///
    /// Unlike the blocked layouts it needs no padding when the channels are no multiple of 16, which pruning leaves:
    /// measured with oneDNN 2.6, a 5x5 convolution from 20 to 50 channels runs 1.7 times as fast in it. Give it to the
    /// source *and* the destination; a mixture falls back to loops.
    package static func channelsLast(_ shape: Shape) throws(DNNError) -> DNNLayout {
        guard shape.rank >= 2 else { throw DNNError(.invalid, "\(shape) has no channel axis") }
        var strides = shape.strides
        var next = shape[1]
        for axis in stride(from: shape.rank - 1, to: 1, by: -1) {
            strides[axis] = next
            next *= shape[axis]
        }
        strides[1] = 1
        strides[0] = next
        return try strided(shape, strides: strides)
    }

    /// The row-major layout of the same extents.
    package func plain() throws(DNNError) -> DNNLayout {
        isPlain ? self : try .plain(shape)
    }

    /// The same order of elements of another type.
    ///
    /// - Throws: `DNNError` if the layout has blocks or is known to oneDNN only.
    package func converted(to element: DNNElement) throws(DNNError) -> DNNLayout {
        try DNNLayout(adopting: espalier_dnn_layout_converted(handle, element.code))
    }

    /// The same bytes under another shape of equal count, such as a flattened one.
    ///
    /// - Throws: `DNNError` where this layout's strides or blocks do not allow it.
    package func reshaped(to shape: Shape) throws(DNNError) -> DNNLayout {
        let extents = shape.rank == 0 ? [1] : shape.extents.map { Int64($0) }
        // oneDNN takes the extents' product on trust.
        guard shape.count == self.shape.count else {
            throw DNNError(.invalid, "cannot view \(self.shape) as \(shape)")
        }
        return try DNNLayout(
            adopting: espalier_dnn_layout_reshaped(handle, extents, Int32(extents.count)))
    }

    /// The same bytes with the axes in another order: axis `i` of the result is axis `axes[i]` of this layout, as in
    /// ONNX `Transpose`.
    package func transposed(_ axes: [Int]) throws(DNNError) -> DNNLayout {
        guard axes.sorted() == Array(0..<shape.rank) else {
            throw DNNError(.invalid, "\(axes) is no order of the \(shape.rank) axes of \(shape)")
        }
        // oneDNN wants to know where each axis goes.
        var destinations = [Int32](repeating: 0, count: axes.count)
        for (place, axis) in axes.enumerated() { destinations[axis] = Int32(place) }
        return try DNNLayout(adopting: espalier_dnn_layout_permuted(handle, destinations))
    }

    /// The box of extents `shape` that starts at `offsets`, to be used with the *whole* tensor's pointer.
    ///
    /// - Throws: `DNNError` if the box leaves the tensor or cuts through a block.
    package func region(_ shape: Shape, at offsets: [Int]) throws(DNNError) -> DNNLayout {
        guard shape.rank == self.shape.rank, offsets.count == shape.rank else {
            throw DNNError(.invalid, "a region of \(shape) at \(offsets) in \(self.shape)")
        }
        return try DNNLayout(
            adopting: espalier_dnn_layout_region(
                handle, shape.extents.map { Int64($0) }, offsets.map { Int64($0) }))
    }
}

// MARK: - Conformances

extension DNNLayout: Hashable, CustomStringConvertible {
    package static func == (left: DNNLayout, right: DNNLayout) -> Bool {
        left === right || espalier_dnn_layout_equal(left.handle, right.handle)
    }

    package func hash(into hasher: inout Hasher) {
        // Equal bytes may carry several names, so the name stays out.
        hasher.combine(shape)
        hasher.combine(element)
        hasher.combine(byteCount)
    }

    package var description: String {
        element == .float32 ? "\(shape):\(name)" : "\(shape):\(name):\(element)"
    }
}
