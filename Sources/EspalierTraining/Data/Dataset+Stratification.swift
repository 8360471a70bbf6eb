internal import EspalierTensors

extension Dataset {
    /// Splits off `count` samples at random so that every class keeps its share in both parts; samples without
    /// classes are split plainly. Both parts keep the order of the whole.
    ///
    /// The same data, count and seed give the same parts.
    ///
    /// - Throws: ``DataError`` `inconsistent` unless both parts get at least one sample.
    public func stratifiedSplit(
        holdingOut count: Int, seed: UInt64
    ) throws(DataError) -> (rest: Dataset, heldOut: Dataset) {
        guard count > 0, count < sampleCount else {
            throw DataError(.inconsistent, name, "cannot hold out \(count) of \(sampleCount) samples")
        }
        let (rest, heldOut) = stratifiedIndices(holdingOut: count, seed: seed)
        return (try selecting(rest), try selecting(heldOut))
    }

    /// The ascending indices of both parts of ``stratifiedSplit(holdingOut:seed:)``.
    package func stratifiedIndices(holdingOut count: Int, seed: UInt64) -> (rest: [Int], heldOut: [Int]) {
        var strata: [[Int]]
        if case .classes(let classes, let classCount) = labels {
            strata = Array(repeating: [], count: classCount)
            for (sample, label) in classes.enumerated() { strata[Int(label)].append(sample) }
        } else {
            strata = [Array(0..<sampleCount)]
        }
        let quotas = Self.apportion(count, among: strata.map(\.count))
        let random = RandomSource(seed: seed).split("stratified split")
        var isHeldOut = [Bool](repeating: false, count: sampleCount)
        for (stratum, quota) in quotas.enumerated() where quota > 0 {
            // A stream for each class: what one class draws does not depend on how many the others have.
            var stream = random.split(stratum)
            stream.shuffle(&strata[stratum])
            for sample in strata[stratum].prefix(quota) { isHeldOut[sample] = true }
        }
        let all = 0..<sampleCount
        return (all.filter { !isHeldOut[$0] }, all.filter { isHeldOut[$0] })
    }

    /// Whole numbers that sum to `total` in proportion to `sizes`: the largest remainders are rounded up
    /// (Hamilton's method), the earlier of equals first.
    private static func apportion(_ total: Int, among sizes: [Int]) -> [Int] {
        let whole = sizes.reduce(0, +)
        var quotas = sizes.map { $0 * total / whole }
        let order = sizes.indices.sorted { first, second in
            let (left, right) = (sizes[first] * total % whole, sizes[second] * total % whole)
            return left == right ? first < second : left > right
        }
        for stratum in order.prefix(total - quotas.reduce(0, +)) { quotas[stratum] += 1 }
        return quotas
    }
}
