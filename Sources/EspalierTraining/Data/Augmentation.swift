internal import EspalierTensors

/// Random changes to images which leave their class as it is.
package struct Augmentation: Sendable, Hashable, Codable {
    /// No change.
    package static let none = Augmentation()

    /// Images move by up to this many pixels along each axis; what comes in is a raw value of zero.
    package var largestShift: Int
    /// Whether every other image is mirrored left to right.
    package var flipsHorizontally: Bool

    package init(largestShift: Int = 0, flipsHorizontally: Bool = false) {
        self.largestShift = largestShift
        self.flipsHorizontally = flipsHorizontally
    }

    /// What happens to one image: it is mirrored first and shifted then.
    package struct Change: Sendable, Hashable {
        /// Rows that the image moves down, and columns that it moves right.
        package var down: Int
        package var right: Int
        package var isFlipped: Bool

        package init(down: Int, right: Int, isFlipped: Bool) {
            self.down = down
            self.right = right
            self.isFlipped = isFlipped
        }
    }

    /// The change to `sample` in `epoch`, a function of these numbers and the seed alone: batches may be gathered in
    /// any order, by any thread, and from the middle of an epoch.
    package func change(seed: UInt64, epoch: Int, sample: Int) -> Change {
        // One generator for each image, from numbers that are mixed far apart: the seed first, so that seed and epoch cannot take each
        // other's place.
        var key: UInt64 = 0x6A09_E667_F3BC_C908
        for number in [seed, UInt64(bitPattern: Int64(epoch)), UInt64(bitPattern: Int64(sample))] {
            key = (key ^ number) &* 0xD6E8_FEB8_6659_FD93
            key ^= key >> 32
        }
        var random = RandomSource(seed: key)
        let side = 2 * largestShift + 1
        return Change(
            down: random.index(below: side) - largestShift, right: random.index(below: side) - largestShift,
            isFlipped: random.next() >> 63 == 1 && flipsHorizontally)
    }
}

extension Augmentation.Change {
    /// Writes one changed plane of an image.
    ///
    /// - Parameter fill: what the pixels become that no pixel moves to.
    func apply(
        from source: UnsafeBufferPointer<Float>, to target: UnsafeMutableBufferPointer<Float>, height: Int,
        width: Int,
        fill: Float
    ) {
        let columns = max(0, right)..<max(max(0, right), min(width, width + right))
        for row in 0..<height {
            let line = row * width
            let sourceRow = row - down
            guard (0..<height).contains(sourceRow), !columns.isEmpty else {
                for column in 0..<width { target[line + column] = fill }
                continue
            }
            for column in 0..<columns.lowerBound { target[line + column] = fill }
            let sourceLine = sourceRow * width
            if isFlipped {
                for column in columns {
                    target[line + column] = source[sourceLine + width - 1 - (column - right)]
                }
            } else {
                for column in columns { target[line + column] = source[sourceLine + column - right] }
            }
            for column in columns.upperBound..<width { target[line + column] = fill }
        }
    }
}
