import EspalierTensors

/// The l-infinity balls around the samples of a batch, cut off where samples can't be, in the values that a network is given; and
/// the steps of an attack within them.
///
/// The memory is used for batch after batch.
final class PerturbationBoxes {
    private let units: InputUnits
    private let size: Int
    /// For every value of a batch what it can be at least; then, for every one, at most.
    private let limits: AlignedStorage
    private let capacity: Int
    /// For each value of a sample, the radius in the network's units.
    private var reach: [Float]

    /// - Parameter batchSize: the most samples of a batch.
    init(_ units: InputUnits, batchSize: Int) {
        self.units = units
        size = units.deviations.count
        capacity = size * batchSize
        limits = AlignedStorage(byteCount: 2 * capacity * MemoryLayout<Float>.stride)
        reach = [Float](repeating: 0, count: size)
    }

    /// Puts boxes around samples. A sample that lies outside of what samples can be is in its box all the same.
    ///
    /// - Parameter radius: in units of ``InputUnits``.
    func surround(_ samples: UnsafeMutableBufferPointer<Float>, radius: Double) {
        precondition(samples.count <= capacity && samples.count.isMultiple(of: size))
        for position in 0..<size { reach[position] = Float(radius) / units.deviations[position] }
        let (lowest, highest) = (self.lowest, self.highest)
        units.lower.withUnsafeBufferPointer { lower in
            units.upper.withUnsafeBufferPointer { upper in
                forEachSample(samples) { start, reach in
                    for position in 0..<reach.count {
                        let value = samples[start + position]
                        lowest[start + position] = max(
                            value - reach[position], min(value, lower[position]))
                        highest[start + position] = min(
                            value + reach[position], max(value, upper[position]))
                    }
                }
            }
        }
    }

    /// Moves samples to random places, uniform in their balls, and back into their boxes.
    func scatter(_ samples: UnsafeMutableBufferPointer<Float>, random: inout RandomSource) {
        let (lowest, highest) = (self.lowest, self.highest)
        forEachSample(samples) { start, reach in
            for position in 0..<reach.count {
                let index = start + position
                let moved = samples[index] + random.uniform(in: -1...1) * reach[position]
                samples[index] = min(max(moved, lowest[index]), highest[index])
            }
        }
    }

    /// Goes along the signs of a gradient, which is where a linear function of a box grows most, and back into the boxes.
    ///
    /// - Parameter share: the length, in radii.
    func step(
        _ samples: UnsafeMutableBufferPointer<Float>, along gradient: UnsafeBufferPointer<Float>,
        share: Float
    ) {
        let (lowest, highest) = (self.lowest, self.highest)
        forEachSample(samples) { start, reach in
            for position in 0..<reach.count {
                let index = start + position
                let length = share * reach[position]
                let slope = gradient[index]
                let moved = samples[index] + (slope > 0 ? length : slope < 0 ? -length : 0)
                samples[index] = min(max(moved, lowest[index]), highest[index])
            }
        }
    }

    private var lowest: UnsafeMutablePointer<Float> { limits.base.assumingMemoryBound(to: Float.self) }
    private var highest: UnsafeMutablePointer<Float> { lowest + capacity }

    private func forEachSample(
        _ samples: UnsafeMutableBufferPointer<Float>,
        _ body: (_ start: Int, _ reach: UnsafeBufferPointer<Float>) -> Void
    ) {
        reach.withUnsafeBufferPointer { reach in
            for start in stride(from: 0, to: samples.count, by: size) { body(start, reach) }
        }
    }
}
