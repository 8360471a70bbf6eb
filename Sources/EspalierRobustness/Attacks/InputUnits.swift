import EspalierTensors
package import EspalierTraining

/// What one unit of change of a sample is for the network, and what values samples can have.
///
/// Radii are told in units of the values before means were subtracted and deviations divided by: those of an image from 0 to 1.
/// A change of radius r there is one of r / deviation in the values that the network is given, channel by channel.
package struct InputUnits: Sendable, Hashable {
    /// For each value of a sample what it is divided by.
    package let deviations: [Float]
    /// The least and the largest that each value can be, as the network is given it.
    package let lower: [Float]
    package let upper: [Float]

    /// - Parameters:
    ///   - range: of values before means were subtracted; what an attacker may make of them.
    package init(_ dataset: Dataset, range: ClosedRange<Double> = 0...1) {
        let shape = dataset.sampleShape
        let isLast = dataset.preprocessing.layout == .channelsLast
        let channels = shape.rank > 1 ? shape[isLast ? shape.rank - 1 : 0] : 1
        let inner = isLast ? 1 : max(1, shape.count / max(1, channels))
        let preprocessing = dataset.preprocessing
        func entry(_ list: [Float], _ position: Int, _ usual: Float) -> Float {
            list.count > 1 ? list[position / inner % channels] : list.first ?? usual
        }
        let positions = 0..<shape.count
        deviations = positions.map { entry(preprocessing.standardDeviation, $0, 1) }
        let means = positions.map { entry(preprocessing.mean, $0, 0) }
        let deviations = deviations
        lower = positions.map { (Float(range.lowerBound) - means[$0]) / deviations[$0] }
        upper = positions.map { (Float(range.upperBound) - means[$0]) / deviations[$0] }
    }
}
