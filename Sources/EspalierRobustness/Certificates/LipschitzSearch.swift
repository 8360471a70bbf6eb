import EspalierKernels
package import EspalierOperators
import EspalierTensors
import EspalierTraining

/// Looks for slopes of a network near its samples: whatever is found is a lower bound of its Lipschitz constant.
///
/// At every point the gradient of a direction u of the outputs, of length 1, is a slope. The point is then moved along that
/// gradient, which is the steepest way up for u, and what the outputs did becomes the next u. On a piece where the network is linear
/// that is the power iteration for the largest singular value of its Jacobian, one gradient a step whatever the number of classes,
/// and it climbs from piece to piece, where second derivatives would say nothing.
package struct LipschitzSearch: Sendable {
    package var norm: VectorNorm
    package var steps: Int
    /// How far a step goes: the change of each value in l-infinity, in l2 its root mean square.
    package var stepSize: Double

    package init(norm: VectorNorm, steps: Int = 30, stepSize: Double = 0.02) {
        self.norm = norm
        self.steps = steps
        self.stepSize = stepSize
    }

    /// Gradients are computed in float32.
    private static let rounding = 1e-5

    /// The largest slope that is found from some samples, in units of ``InputUnits``.
    ///
    /// - Parameter samples: positions in the network's data set.
    /// - Throws: `ExecutionError`, ``TrainingError``.
    package func largestSlope(of network: AttackedNetwork, samples: [Int]) throws -> Double {
        try network.lane.run {
            var largest = 0.0
            for start in stride(from: 0, to: samples.count, by: network.batchSize) {
                let end = min(start + network.batchSize, samples.count)
                var walk = SlopeWalk(network, samples: Array(samples[start..<end]), norm: norm)
                for _ in 0...steps { largest = max(largest, try walk.step(by: stepSize)) }
            }
            return largest * (1 - Self.rounding)
        }
    }
}

/// The points of a batch on their way.
private struct SlopeWalk {
    private let network: AttackedNetwork
    private let norm: VectorNorm
    private let samples: [Int]
    private let size: Int
    /// As the network is given them, one point after the other.
    private var points: [Float]
    /// One for each point, one after the other.
    private var directions: [Float] = []
    private var outputs: [Float] = []

    init(_ network: AttackedNetwork, samples: [Int], norm: VectorNorm) {
        self.network = network
        self.norm = norm
        self.samples = samples
        let size = network.sampleSize
        self.size = size
        points = network.dataset.x.withUnsafeScalars(of: Float.self) { values in
            samples.flatMap { values[($0 * size)..<(($0 + 1) * size)] }
        }
    }

    private var count: Int { samples.count }

    /// Moves all points on, and tells the largest slope where they were.
    mutating func step(by stepSize: Double) throws -> Double {
        let earlier = outputs
        let now = try network.outputs(count: count) { target in
            for (position, value) in points.enumerated() { target[position] = value }
        }
        outputs = Array(now)
        direct(earlier)
        let gradient = try network.gradient(count: count) { target in
            for (position, value) in directions.enumerated() { target[position] = value }
        }
        return move(along: gradient, by: stepSize)
    }

    /// Chooses the directions of the outputs: what moved. At first it is the largest against the second largest, or for l-infinity, whose
    /// slopes are those of single outputs, one after the other.
    private mutating func direct(_ earlier: [Float]) {
        let columns = outputs.count / max(1, count)
        if directions.isEmpty { directions = [Float](repeating: 0, count: outputs.count) }
        for point in 0..<count {
            let range = (point * columns)..<((point + 1) * columns)
            let moved: [Float]
            if earlier.isEmpty, norm == .maximum {
                moved = (0..<columns).map { $0 == samples[point] % columns ? 1 : 0 }
            } else if earlier.isEmpty {
                let ranked = range.sorted { (outputs[$0], $1) > (outputs[$1], $0) }.prefix(2)
                moved = range.map { $0 == ranked[0] ? 1 : ranked.contains($0) ? -1 : 0 }
            } else {
                moved = range.map { outputs[$0] - earlier[$0] }
            }
            // Where nothing moved, the last direction stays.
            guard let direction = Self.unit(moved, norm) else { continue }
            directions.replaceSubrange(range, with: direction)
        }
    }

    /// The direction of the outputs whose gradient is a slope in `norm`: of length 1 in the dual norm, l1 for l-infinity.
    private static func unit(_ moved: [Float], _ norm: VectorNorm) -> [Float]? {
        switch norm {
        case .euclidean:
            let length = moved.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length > 0, length.isFinite else { return nil }
            return moved.map { Float(Double($0) / length) }
        case .maximum:
            guard let most = moved.indices.max(by: { moved[$0].magnitude < moved[$1].magnitude }),
                moved[most] != 0
            else { return nil }
            return moved.indices.map { $0 == most ? (moved[most] < 0 ? -1 : 1) : 0 }
        }
    }

    private mutating func move(along gradient: UnsafeBufferPointer<Float>, by stepSize: Double) -> Double {
        let units = network.units
        let length = norm == .euclidean ? stepSize * Double(size).squareRoot() : stepSize
        var largest = 0.0
        var inUnits = [Float](repeating: 0, count: size)
        var change = inUnits
        for point in 0..<count {
            let start = point * size
            var slope = 0.0
            for position in 0..<size {
                let value = gradient[start + position] / units.deviations[position]
                inUnits[position] = value
                slope += norm == .euclidean ? Double(value) * Double(value) : Double(value.magnitude)
                change[position] = 0
            }
            if norm == .euclidean { slope = slope.squareRoot() }
            if slope.isFinite { largest = max(largest, slope) }
            inUnits.withUnsafeBufferPointer { gradient in
                change.withUnsafeMutableBufferPointer {
                    norm.addSteepest(gradient, length: length, to: $0)
                }
            }
            for position in 0..<size {
                let value = points[start + position]
                let moved = value + change[position] / units.deviations[position]
                points[start + position] = min(
                    max(moved, min(value, units.lower[position])), max(value, units.upper[position]))
            }
        }
        return largest
    }
}
