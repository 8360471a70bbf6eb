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
        let winners: UnsafeMutablePointer<Int32>?
    }

    struct Lines {
        let lowerSlope: UnsafeMutablePointer<Float>
        let upperSlope: UnsafeMutablePointer<Float>
        let upperOffset: UnsafeMutablePointer<Float>
        let zeros: UnsafeMutablePointer<Float>
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
        tables = graph.values.indices.map { value in
            let count = samples * graph.values[value].count
            let sums = AlignedStorage(byteCount: 8 * samples)
            storages.append(sums)
            var lines: Lines?
            var winners: UnsafeMutablePointer<Int32>?
            switch graph.steps[value]?.rule {
            case .slopes:
                lines = Lines(
                    lowerSlope: floats(count), upperSlope: floats(count), upperOffset: floats(count),
                    zeros: floats(graph.values[value].count))
            case .maximum:
                let storage = AlignedStorage(byteCount: 4 * count)
                storages.append(storage)
                winners = storage.base.assumingMemoryBound(to: Int32.self)
            default: break
            }
            return Table(
                lower: floats(count), upper: floats(count), magnitude: floats(count),
                magnitudeSums: sums.base.assumingMemoryBound(to: Double.self), lines: lines, winners: winners)
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
