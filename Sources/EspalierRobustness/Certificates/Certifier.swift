package import EspalierOperators

/// A way to prove that no change of samples within a radius makes a network err.
package protocol Certifier: AnyObject {
    /// What it is called in tables, such as "lipschitz", "lipschitz-pairs", "intervals", "crown".
    var name: String { get }

    /// What a change may be at most is measured so.
    var norm: VectorNorm { get }

    /// Whether it is proven for each of some samples that the network tells the right class whatever a change within the sample's
    /// own radius does; false where the network errs anyhow.
    ///
    /// - Parameters:
    ///   - samples: positions in the network's data set.
    ///   - radii: for each, in units of ``InputUnits``.
    /// - Throws: what running or bounding the network throws.
    func certifies(samples: [Int], radii: [Double]) throws -> [Bool]

    /// For each sample a radius at which it is proven, 0 where none was found. A certifier that has no need to try radii out answers
    /// at once.
    ///
    /// - Parameters:
    ///   - largest: what is not exceeded.
    ///   - halvings: of the interval that is looked through.
    func largestRadii(samples: [Int], largest: Double, halvings: Int) throws -> [Double]
}

extension Certifier {
    /// The share of some samples for which it is proven at `radius`.
    package func accuracy(samples: [Int], radius: Double) throws -> Double {
        let proven = try certifies(samples: samples, radii: samples.map { _ in radius })
        return Double(proven.count { $0 }) / Double(max(1, samples.count))
    }

    /// By halving an interval: the counterpart of ``Attack/smallestRadii(on:samples:largest:halvings:seed:)``.
    ///
    /// Every radius that it tells was tried and proven.
    package func largestRadii(samples: [Int], largest: Double, halvings: Int = 10) throws -> [Double] {
        let atOnce = try certifies(samples: samples, radii: samples.map { _ in largest })
        var low = atOnce.map { $0 ? largest : 0 }
        var high = samples.map { _ in largest }
        let open = samples.indices.filter { !atOnce[$0] }
        for _ in 0..<halvings where !open.isEmpty {
            let radii = open.map { (low[$0] + high[$0]) / 2 }
            let proven = try certifies(samples: open.map { samples[$0] }, radii: radii)
            for (place, (radius, isProven)) in zip(open, zip(radii, proven)) {
                if isProven { low[place] = radius } else { high[place] = radius }
            }
        }
        return low
    }
}
