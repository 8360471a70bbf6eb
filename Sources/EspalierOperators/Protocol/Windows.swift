import EspalierTensors

/// How a window slides over one spatial axis: the arithmetic that pooling and convolution share.
///
/// Output o sees the input positions o * stride - paddingBefore + tap * dilation, tap < kernel; those outside
/// `0..<input` are padding. Instances come from ``WindowAttributes``, which checks that nothing overflows.
package struct WindowAxis: Hashable, Sendable {
    /// The extent of the input without padding.
    package let input: Int
    package let output: Int
    package let kernel: Int
    package let stride: Int
    package let dilation: Int
    package let paddingBefore: Int
    /// The padding after the input that the node asks for; with `ceil_mode` windows may reach beyond even that.
    package let paddingAfter: Int

    /// The extent of the input that one window spans, gaps of the dilation included.
    package var span: Int { (kernel - 1) * dilation + 1 }

    /// The padding after the input that the windows really reach into, which is what libraries that always round
    /// down must be given to arrive at ``output``.
    package var reachedPaddingAfter: Int {
        Swift.max(0, (output - 1) * stride + span - input - paddingBefore)
    }

    /// Whether every window, padding included, lies within what the node asks for.
    package var staysInPadding: Bool { reachedPaddingAfter <= paddingAfter }

    /// The input position, possibly in the padding, that a tap of the window of `output` sees.
    package func position(output: Int, tap: Int) -> Int {
        output * stride - paddingBefore + tap * dilation
    }

    /// The taps of the window of `output` that see the input and not its padding.
    package func taps(at output: Int) -> Range<Int> {
        taps(at: output, from: 0, to: input)
    }

    /// The taps of the window of `output` that see the input or the padding that the node asks for.
    package func paddedTaps(at output: Int) -> Range<Int> {
        taps(at: output, from: -paddingBefore, to: input + paddingAfter)
    }

    private func taps(at output: Int, from lower: Int, to upper: Int) -> Range<Int> {
        let start = position(output: output, tap: 0)
        let first = start >= lower ? 0 : Swift.min(kernel, (lower - start + dilation - 1) / dilation)
        let end = start >= upper ? 0 : Swift.min(kernel, (upper - start + dilation - 1) / dilation)
        return first..<Swift.max(first, end)
    }
}

/// The windows of one node, an axis each.
package struct Windows: Hashable, Sendable {
    package let axes: [WindowAxis]

    package init(axes: [WindowAxis]) {
        self.axes = axes
    }

    package var outputs: [Int] { axes.map(\.output) }
    package var kernel: [Int] { axes.map(\.kernel) }
    package var strides: [Int] { axes.map(\.stride) }
    package var dilations: [Int] { axes.map(\.dilation) }
    package var paddingBefore: [Int] { axes.map(\.paddingBefore) }
    package var paddingAfter: [Int] { axes.map(\.paddingAfter) }
    package var reachedPaddingAfter: [Int] { axes.map(\.reachedPaddingAfter) }
    package var staysInPadding: Bool { axes.allSatisfy(\.staysInPadding) }

    /// One window that covers everything: global pooling.
    package init(covering extents: [Int]) {
        axes = extents.map { extent in
            WindowAxis(
                input: extent, output: 1, kernel: extent, stride: 1, dilation: 1, paddingBefore: 0,
                paddingAfter: 0)
        }
    }
}

/// The attributes `kernel_shape`, `strides`, `pads`, `dilations`, `auto_pad` and `ceil_mode` of a node, checked as far
/// as that is possible without shapes.
package struct WindowAttributes: Sendable {
    package enum Padding: Hashable, Sendable {
        /// Paddings before each axis, then after each axis.
        case explicit([Int])
        /// As much as makes the output's extent input / stride rounded up; an odd one goes after (upper) or before.
        case sameUpper, sameLower
        case valid
    }

    /// nil where the node leaves it out, and a convolution takes it from its weight.
    package let kernelShape: [Int]?
    package let strides: [Int]?
    package let dilations: [Int]?
    package let padding: Padding
    /// Whether output extents are rounded up.
    package let roundsUp: Bool

    /// The largest kernel, stride, dilation or padding believed: their products and sums cannot overflow.
    private static let limit = 1 << 24

    /// - Parameter pools: whether `ceil_mode` is an attribute of the operator; convolutions have none.
    package init(_ attributes: AttributeReader, pools: Bool) throws(OperatorError) {
        kernelShape = try Self.magnitudes("kernel_shape", of: attributes, least: 1)
        strides = try Self.magnitudes("strides", of: attributes, least: 1)
        dilations = try Self.magnitudes("dilations", of: attributes, least: 1)
        roundsUp = pools ? try attributes.bool("ceil_mode", default: false) : false
        let automatic = try attributes.string("auto_pad", default: "NOTSET")
        switch automatic {
        case "NOTSET": padding = .explicit(try Self.magnitudes("pads", of: attributes, least: 0) ?? [])
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        case "VALID": padding = .valid
        default: throw .attribute("auto_pad", problem: "unknown kind '\(automatic)'")
        }
    }

    private static func magnitudes(
        _ name: String, of attributes: AttributeReader, least: Int
    ) throws(OperatorError) -> [Int]? {
        guard let values = try attributes.ints(name), !values.isEmpty else { return nil }
        for value in values where value < least || value > limit {
            throw .attribute(name, problem: "\(value) is not between \(least) and \(limit)")
        }
        return values
    }

    /// The windows over spatial axes with the given extents.
    ///
    /// - Parameter kernel: the window's extents where the node does not say (``kernelShape`` is nil), or must agree.
    /// - Throws: ``OperatorError`` if numbers of axes differ or a window does not fit the padded input.
    package func windows(over extents: [Int], kernel: [Int]? = nil) throws(OperatorError) -> Windows {
        let rank = extents.count
        guard let kernel = kernelShape ?? kernel else { throw .missingAttribute("kernel_shape") }
        try Self.check("kernel_shape", kernel, count: rank)
        let strides = strides ?? [Int](repeating: 1, count: rank)
        try Self.check("strides", strides, count: rank)
        let dilations = dilations ?? [Int](repeating: 1, count: rank)
        try Self.check("dilations", dilations, count: rank)
        if case .explicit(let pads) = padding, !pads.isEmpty {
            try Self.check("pads", pads, count: 2 * rank)
        }
        var axes: [WindowAxis] = []
        for axis in 0..<rank {
            guard (1...Self.limit).contains(kernel[axis]), extents[axis] <= 1 << 40 else {
                throw .shapes("a window of \(Shape(kernel)) over \(Shape(extents))")
            }
            axes.append(
                try window(
                    over: extents[axis], kernel: kernel[axis], stride: strides[axis],
                    dilation: dilations[axis],
                    axis: axis, rank: rank))
        }
        return Windows(axes: axes)
    }

    private static func check(_ name: String, _ values: [Int], count: Int) throws(OperatorError) {
        guard values.count == count else {
            throw .attribute(name, problem: "has \(values.count) numbers where \(count) are needed")
        }
    }

    private func window(
        over input: Int, kernel: Int, stride: Int, dilation: Int, axis: Int, rank: Int
    ) throws(OperatorError) -> WindowAxis {
        let span = (kernel - 1) * dilation + 1
        var before = 0
        var after = 0
        var output = 0
        switch padding {
        case .sameUpper, .sameLower:
            output = (input + stride - 1) / stride
            let total = max(0, (output - 1) * stride + span - input)
            guard total <= 2 * Self.limit else {
                throw .shapes(
                    "a window that spans \(span) needs a padding of \(total) around the extent \(input)")
            }
            before = padding == .sameUpper ? total / 2 : total - total / 2
            after = total - before
        case .explicit, .valid:
            if case .explicit(let pads) = padding, !pads.isEmpty {
                before = pads[axis]
                after = pads[rank + axis]
            }
            let slack = input + before + after - span
            // Division rounds towards zero, so a negative slack, for which there is no window, is set apart.
            output = slack < 0 ? 0 : slack / stride + 1
            if roundsUp {
                output = slack < 0 ? (slack > -stride ? 1 : 0) : (slack + stride - 1) / stride + 1
                // A window that would start in the padding after the input is left out.
                if (output - 1) * stride >= input + before { output -= 1 }
            }
            guard output > 0 else {
                throw .shapes(
                    "a window that spans \(span) does not fit the extent \(input) padded by \(before) and \(after)"
                )
            }
        }
        return WindowAxis(
            input: input, output: output, kernel: kernel, stride: stride, dilation: dilation,
            paddingBefore: before, paddingAfter: after)
    }
}
