import EspalierTensors

/// Counts over the data of what the units of one site do. Counts are whole numbers and extremes are exact: the result
/// does not depend on the batch size.
struct ChannelCounts {
    private let units: [Int]
    /// Whether a unit fires where it is not zero, instead of above it: there is no nonlinearity to judge by.
    private let countsNonzero: Bool
    /// Per unit.
    private var firing: [Int]
    private var zeros: [Int]
    private var elements: [Int]
    private var firingSamples: [Int]
    private var minima: [Float]
    private var maxima: [Float]
    private var sampleCount = 0

    /// - Parameter units: the unit of each channel, from 0 without gaps.
    init(units: [Int], countsNonzero: Bool) {
        self.units = units
        self.countsNonzero = countsNonzero
        let count = (units.max() ?? -1) + 1
        firing = [Int](repeating: 0, count: count)
        zeros = firing
        elements = firing
        firingSamples = firing
        minima = [Float](repeating: .infinity, count: count)
        maxima = [Float](repeating: -.infinity, count: count)
    }

    mutating func add(_ values: UnsafeBufferPointer<Float>, _ view: ChannelView) {
        var lastSample = [Int](repeating: -1, count: firing.count)
        view.forEachRun(in: values) { sample, channel, run in
            let unit = units[channel]
            var (above, zero): (Int32, Int32) = (0, 0)
            var (low, high) = (Float.infinity, -Float.infinity)
            for value in run {
                above &+= value > 0 ? 1 : 0
                zero &+= value == 0 ? 1 : 0
                low = value < low ? value : low
                high = value > high ? value : high
            }
            let fires = countsNonzero ? run.count - Int(zero) : Int(above)
            firing[unit] += fires
            zeros[unit] += Int(zero)
            elements[unit] += run.count
            minima[unit] = min(minima[unit], low)
            maxima[unit] = max(maxima[unit], high)
            if fires > 0, lastSample[unit] != sample {
                lastSample[unit] = sample
                firingSamples[unit] += 1
            }
        }
        sampleCount += view.samples
    }

    /// The figures of each channel's unit, in the order of the channels.
    func evidence(_ kind: EvidenceKind) -> [Float]? {
        func shares(_ counts: [Int], _ wholes: [Int]) -> [Float] {
            zip(counts, wholes).map { $1 == 0 ? 0 : Float(Double($0) / Double($1)) }
        }
        let byUnit: [Float]
        switch kind {
        case .firingShares: byUnit = shares(firing, elements)
        case .firingSamples:
            byUnit = shares(firingSamples, [Int](repeating: sampleCount, count: firing.count))
        case .zeroShares: byUnit = shares(zeros, elements)
        case .activationMinima: byUnit = minima
        case .activationMaxima: byUnit = maxima
        default: return nil
        }
        return units.map { byUnit[$0] }
    }
}
