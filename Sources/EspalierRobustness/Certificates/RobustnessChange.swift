import Foundation

/// What changed from one network to another made from it: by how much margins, and by how much the Lipschitz constant.
///
/// A radius m / (c L) has two sides: log radius = log m - log L - log c, so its change is that of the margin's logarithm minus that of the
/// constant's, sample by sample. Only of samples that both networks get right there is such a change; those that flipped are counted.
package struct RobustnessChange: Sendable {
    /// Positions of the samples that both networks get right.
    package let samples: [Int]
    /// Of each of ``samples``, the change of the logarithm of its margin.
    package let margins: [Double]
    /// The change of the logarithm of the Lipschitz constant, of all samples alike.
    package let lipschitz: Double
    /// Of each of ``samples``, the change of the logarithm of its radius.
    package let radii: [Double]
    /// Samples that only the first network gets right, and that only the second does.
    package let lost: Int
    package let gained: Int

    /// - Parameters:
    ///   - margins: of the same samples, by both networks; a network is right where they are above 0.
    ///   - constants: Lipschitz constants in one unit.
    package init(
        margins before: [Double], _ after: [Double], constants: (before: Double, after: Double)
    ) {
        let right = zip(before, after).map { ($0 > 0, $1 > 0) }
        samples = right.indices.filter { right[$0].0 && right[$0].1 }
        lost = right.count { $0.0 && !$0.1 }
        gained = right.count { !$0.0 && $0.1 }
        margins = samples.map { log(after[$0]) - log(before[$0]) }
        lipschitz = log(constants.after) - log(constants.before)
        radii = samples.map { log(after[$0] / constants.after) - log(before[$0] / constants.before) }
    }
}
