import EspalierOperators
import EspalierTensors

/// What is known of a network's values for some samples at a time, each moved within its own box: intervals, and lines below and
/// above what is bent.
final class SampleTables {
    /// Of one value: [samples, elements].
    struct Table {
        let lower: UnsafeMutablePointer<Float>
        let upper: UnsafeMutablePointer<Float>
        /// A bound of the sum of magnitudes that the element was computed of, by any order of summation.
        let magnitude: UnsafeMutablePointer<Float>
        /// By sample, the sum of `magnitude`.
        let magnitudeSums: UnsafeMutablePointer<Double>
        /// Of a bent value: the slopes of lines below and above, and where those above meet zero.
        let lines: Lines?
        /// Of a value that is the largest of windows.
        let maxima: Maxima?
    }

    struct Lines {
        let lowerSlope: UnsafeMutablePointer<Float>
        let upperSlope: UnsafeMutablePointer<Float>
        let upperOffset: UnsafeMutablePointer<Float>
        let zeros: UnsafeMutablePointer<Float>
    }

    /// Lines in single elements of a window: one of them is below the largest by itself, and `upperSlope` times one and `upperOffset`
    /// is above.
    struct Maxima {
        let lowerTap: UnsafeMutablePointer<Int32>
        let upperTap: UnsafeMutablePointer<Int32>
        let upperSlope: UnsafeMutablePointer<Float>
        let upperOffset: UnsafeMutablePointer<Float>
    }

    let samples: Int
    let tables: [Table]
    /// By value, what an affine one is where its inputs are zero; nil where that is zero itself.
    var offsets: [AlignedStorage?]
    private var storages: [AlignedStorage] = []

    init(_ graph: PropagationGraph, samples: Int) {
        self.samples = samples
        var storages: [AlignedStorage] = []
        func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
            let storage = AlignedStorage(byteCount: 4 * count)
            storages.append(storage)
            return storage.base.assumingMemoryBound(to: Float.self)
        }
        func taps(_ count: Int) -> UnsafeMutablePointer<Int32> {
            let storage = AlignedStorage(byteCount: 4 * count)
            storages.append(storage)
            return storage.base.assumingMemoryBound(to: Int32.self)
        }
        tables = graph.values.indices.map { value in
            let count = samples * graph.values[value].count
            let sums = AlignedStorage(byteCount: 8 * samples)
            storages.append(sums)
            var lines: Lines?
            var maxima: Maxima?
            switch graph.steps[value]?.rule {
            case .slopes:
                lines = Lines(
                    lowerSlope: floats(count), upperSlope: floats(count), upperOffset: floats(count),
                    zeros: floats(graph.values[value].count))
            case .maximum:
                maxima = Maxima(
                    lowerTap: taps(count), upperTap: taps(count), upperSlope: floats(count),
                    upperOffset: floats(count))
            default: break
            }
            return Table(
                lower: floats(count), upper: floats(count), magnitude: floats(count),
                magnitudeSums: sums.base.assumingMemoryBound(to: Double.self), lines: lines, maxima: maxima)
        }
        offsets = graph.values.map { _ in nil }
        self.storages = storages
    }
}

/// Rounding to float32, in one direction.
extension Float {
    init(roundingDown number: Double) {
        let nearest = Float(number)
        self = Double(nearest) > number ? nearest.nextDown : nearest
    }

    init(roundingUp number: Double) {
        let nearest = Float(number)
        self = Double(nearest) < number ? nearest.nextUp : nearest
    }
}
