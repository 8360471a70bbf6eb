package import EspalierOperators
import EspalierTensors
import Foundation

/// Changes of samples, and how far they reach.
extension VectorNorm {
    /// The size of a change.
    package func size(of change: UnsafeBufferPointer<Float>) -> Double {
        switch self {
        case .euclidean: change.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        case .maximum: change.reduce(0.0) { max($0, Double($1.magnitude)) }
        }
    }

    /// Brings a change back to the nearest one of a size of at most `radius`.
    func project(_ change: UnsafeMutableBufferPointer<Float>, to radius: Double) {
        switch self {
        case .euclidean:
            let size = size(of: UnsafeBufferPointer(change))
            guard size > radius else { return }
            // Rounding of the products must not lead outside.
            let factor = Float(radius / size * (1 - 1e-6))
            for position in change.indices { change[position] *= factor }
        case .maximum:
            let bound = Self.roundedDown(radius)
            for position in change.indices { change[position] = min(max(change[position], -bound), bound) }
        }
    }

    private static func roundedDown(_ number: Double) -> Float {
        let rounded = Float(number)
        return Double(rounded) > number ? rounded.nextDown : rounded
    }

    /// The change of size `length` along which a linear function of the given gradient grows most, added to `change`.
    func addSteepest(
        _ gradient: UnsafeBufferPointer<Float>, length: Double, to change: UnsafeMutableBufferPointer<Float>
    ) {
        switch self {
        case .euclidean:
            let size = size(of: gradient)
            guard size > 0 else { return }
            let factor = Float(length / size)
            for position in change.indices { change[position] += factor * gradient[position] }
        case .maximum:
            let step = Float(length)
            for position in change.indices where gradient[position] != 0 {
                change[position] += gradient[position] < 0 ? -step : step
            }
        }
    }

    /// A change that is uniform in the ball of a radius.
    func drawUniform(
        in radius: Double, into change: UnsafeMutableBufferPointer<Float>, random: inout RandomSource
    ) {
        switch self {
        case .euclidean:
            for position in change.indices { change[position] = Float(random.normal()) }
            let size = size(of: UnsafeBufferPointer(change))
            let length = radius * pow(random.uniform(), 1 / Double(max(1, change.count)))
            let factor = size > 0 ? Float(length / size) : 0
            for position in change.indices { change[position] *= factor }
        case .maximum:
            let bound = Self.roundedDown(radius)
            for position in change.indices { change[position] = random.uniform(in: -bound...bound) }
        }
    }
}
