import EspalierKernels
import EspalierTensors
import EspalierTraining

/// A network's outputs for some samples, before any softmax, and the margins by which it is right.
package struct Logits: Sendable {
    /// One for each class.
    package let columns: Int
    /// The right class of each sample.
    package let classes: [Int32]
    /// [samples, ``columns``].
    private let values: [Float]

    /// How far the difference of two outputs, of a sample or of a change of it, may be from that of the network in real numbers, as a
    /// share of the sample's largest output in magnitude.
    ///
    /// Certificates are of the network in real numbers, and networks are run in float32. On the reference architectures the outputs of
    /// both differ by less than 1e-5 of the largest, which a test watches. A difference of two outputs, at the sample and at a change of
    /// it, can then be off by seven times that, since outputs grow to about 2.5 times as large at most while the margin lasts.
    package static let roundingShare = 1e-4

    package init(columns: Int, classes: [Int32], values: [Float]) {
        self.columns = columns
        self.classes = classes
        self.values = values
    }

    package var sampleCount: Int { classes.count }

    package subscript(sample: Int, column: Int) -> Double { Double(values[sample * columns + column]) }

    /// The output of the right class minus the largest other one: above 0 where the network is right.
    package func margin(_ sample: Int) -> Double {
        margins(sample).map(\.margin).min() ?? 0
    }

    /// The output of the right class minus that of each other class.
    package func margins(_ sample: Int) -> [(other: Int, margin: Double)] {
        let right = Int(classes[sample])
        return (0..<columns).filter { $0 != right }.map { other in
            let margin = self[sample, right] - self[sample, other]
            // What is no number is no evidence of being right.
            return (other, margin.isNaN ? -.infinity : margin)
        }
    }

    /// What is taken from a sample's margins before anything is concluded from them, for the rounding of float32.
    package func rounding(_ sample: Int) -> Double {
        Self.roundingShare * (0..<columns).reduce(0) { max($0, self[sample, $1].magnitude) }
    }

    package var accuracy: Double {
        Double((0..<sampleCount).count { margin($0) > 0 }) / Double(max(1, sampleCount))
    }
}

extension AttackedNetwork {
    /// The outputs for all samples of ``dataset``.
    ///
    /// - Throws: `ExecutionError`, ``TrainingError``.
    package func logits() throws -> Logits {
        try lane.run {
            var values: [Float] = []
            for start in stride(from: 0, to: dataset.sampleCount, by: batchSize) {
                let count = min(batchSize, dataset.sampleCount - start)
                values += try outputs(count: count) { target in
                    dataset.x.withUnsafeScalars(of: Float.self) { source in
                        let first = start * sampleSize
                        for position in 0..<(count * sampleSize) {
                            target[position] = source[first + position]
                        }
                    }
                }
            }
            return Logits(columns: values.count / dataset.sampleCount, classes: classes, values: values)
        }
    }
}
