import EspalierTensors

/// How the channels of one value lie in the memory of a batch: samples, then blocks of channels, each with positions.
struct ChannelView {
    let samples: Int
    /// Blocks per sample: rows of a sample, and all that lies between axis 0 and the channels.
    let blocks: Int
    let channels: Int
    /// Elements of a channel in a block, contiguous.
    let positions: Int
    /// The extents behind the channel axis.
    let mapShape: Shape

    /// - Parameters:
    ///   - shape: of the value for a single sample, whose axis 0 has the rows that a sample takes.
    ///   - axis: the channels'; not 0.
    init(sampleShape shape: Shape, axis: Int, samples: Int) {
        self.samples = samples
        blocks = shape.count(0..<axis)
        channels = shape[axis]
        mapShape = Shape(Array(shape.extents[(axis + 1)...]))
        positions = mapShape.count
    }

    var elementCount: Int { samples * blocks * channels * positions }

    /// Calls `body` with each run of a channel's elements.
    @inline(__always)
    func forEachRun(
        in elements: UnsafeBufferPointer<Float>,
        _ body: (_ sample: Int, _ channel: Int, _ run: UnsafeBufferPointer<Float>) -> Void
    ) {
        var start = 0
        for sample in 0..<samples {
            for _ in 0..<blocks {
                for channel in 0..<channels {
                    body(
                        sample, channel,
                        UnsafeBufferPointer(rebasing: elements[start..<(start + positions)]))
                    start += positions
                }
            }
        }
    }
}
