import EspalierTensors

/// Mean ranks of feature maps (Lin et al. 2020, HRank): of each sample and channel, the rank of the matrix that its
/// positions make; all axes behind the second one are its columns. A channel without positions is a matrix of one
/// element, of rank 1 where it is not zero.
struct FeatureRanks {
    /// The mean hardly changes with more (Lin et al. find so too), and each map costs the cube of its extent.
    static let sampleLimit = 256

    private let units: [Int]
    private var sums: [Double]
    private var counts: [Int]
    private var sampleCount = 0
    private var measure: MatrixRank?

    init(units: [Int]) {
        self.units = units
        let count = (units.max() ?? -1) + 1
        sums = [Double](repeating: 0, count: count)
        counts = [Int](repeating: 0, count: count)
    }

    mutating func add(_ values: UnsafeBufferPointer<Float>, _ view: ChannelView) {
        let wanted = Self.sampleLimit - sampleCount
        guard wanted > 0 else { return }
        let rows = view.mapShape.extents.first ?? 1
        var measure = self.measure ?? MatrixRank(rows: rows, columns: view.positions / max(1, rows))
        view.forEachRun(in: values) { sample, channel, run in
            guard sample < wanted else { return }
            sums[units[channel]] += Double(measure.rank(run))
            counts[units[channel]] += 1
        }
        self.measure = measure
        sampleCount += min(wanted, view.samples)
    }

    /// The mean rank of each channel's unit, in the order of the channels.
    var evidence: [Float] {
        let means = zip(sums, counts).map { $1 == 0 ? 0 : Float($0 / Double($1)) }
        return units.map { means[$0] }
    }
}
