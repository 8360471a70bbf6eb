import EspalierTensors
package import EspalierTraining

/// What one unit of change of a sample is for the network, and what values samples can have.
///
/// Radii are told in units of the values before means were subtracted and deviations divided by: those of an image from 0 to 1.
/// A change of radius r there is one of r / deviation in the values that the network is given, channel by channel.
package struct InputUnits: Sendable, Hashable {
    /// For each value of a sample what it is divided by.
    package let deviations: [Float]
    /// The least and the largest that each value can be, as the network is given it; infinite where nothing is known of it.
    package let lower: [Float]
    package let upper: [Float]

    /// - Parameters:
    ///   - range: what values can be before means are subtracted. Without it those of images, which all lie between 0 and 1, stay
    ///     there; of other data nothing is known, and their changes have no limit but the radius.
    package init(_ dataset: Dataset, range: ClosedRange<Double>? = nil) {
        let preprocessing = dataset.preprocessing
        let positions = 0..<dataset.sampleShape.count
        // A list has one number for each channel, and a channel's values lie side by side unless channels are last.
        func spread(_ list: [Float], _ usual: Float) -> [Float] {
            guard list.count > 1 else { return positions.map { _ in list.first ?? usual } }
            guard preprocessing.layout != .channelsLast else {
                return positions.map { list[$0 % list.count] }
            }
            return positions.map { list[$0 / (positions.count / list.count)] }
        }
        let deviations = spread(preprocessing.standardDeviation, 1)
        let means = spread(preprocessing.mean, 0)
        let range = range ?? (Self.areOfImages(dataset, means: means, deviations: deviations) ? 0...1 : nil)
        self.deviations = deviations
        lower = positions.map { place in
            range.map { (Float($0.lowerBound) - means[place]) / deviations[place] } ?? -.infinity
        }
        upper = positions.map { place in
            range.map { (Float($0.upperBound) - means[place]) / deviations[place] } ?? .infinity
        }
    }

    /// Whether values lie between 0 and 1, but for rounding, before means are subtracted.
    private static func areOfImages(_ dataset: Dataset, means: [Float], deviations: [Float]) -> Bool {
        guard !means.isEmpty else { return true }
        return dataset.x.withUnsafeScalars(of: Float.self) { values in
            stride(from: 0, to: values.count, by: means.count).allSatisfy { start in
                means.indices.allSatisfy { position in
                    let value = values[start + position] * deviations[position] + means[position]
                    return value >= -1e-4 && value <= 1 + 1e-4
                }
            }
        }
    }
}
